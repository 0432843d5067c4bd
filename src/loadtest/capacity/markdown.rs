//! The result of a capacity test as Markdown, for a pull request.

use std::fmt::Write as _;

use super::{
    report::Capacity,
    text::{amount, conclusions, per_replica},
};

/// Renders the result as Markdown.
pub fn render(capacity: &Capacity) -> String {
    let mut text = format!(
        "### Capacity of `{}` of `{}/{}`\n\nObjective: {}\n\n| Replicas | Capacity | Per replica |\n| ---: | ---: | ---: |\n",
        capacity.workload,
        capacity.namespace,
        capacity.name,
        capacity.objective.join(", ")
    );
    for point in &capacity.points {
        let _ = writeln!(
            text,
            "| {} | {} | {:.1}/s |",
            point.replicas,
            amount(point),
            per_replica(point)
        );
    }
    text.push('\n');
    for line in conclusions(capacity) {
        let _ = writeln!(text, "- {line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::report::testing::capacity;

    #[test]
    fn points_are_a_table_and_conclusions_a_list() {
        let text = render(&capacity());
        assert!(text.contains("| 1 | 100.0/s | 100.0/s |\n"), "{text}");
        assert!(text.contains("\n- Knee: 6.7 replicas"), "{text}");
    }
}
