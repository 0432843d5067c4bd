//! The text summary at the end of a capacity test.

use std::fmt::Write as _;

use super::report::{Capacity, Point, Scalability};

/// Longest bar of the chart, in characters.
const BAR: f64 = 40.0;

/// Renders the summary as text.
pub fn render(capacity: &Capacity) -> String {
    let mut text = format!(
        "Capacity of {} of {}/{} at {}\nObjective: {}\n\n",
        capacity.workload,
        capacity.namespace,
        capacity.name,
        capacity.target,
        capacity.objective.join(", ")
    );
    let most = capacity
        .points
        .iter()
        .map(|point| point.capacity)
        .fold(0.0, f64::max);
    text.push_str("REPLICAS   CAPACITY   PER REPLICA   STEPS\n");
    for point in &capacity.points {
        let _ = writeln!(
            text,
            "{:>8} {:>10} {:>13} {:>7}   {}",
            point.replicas,
            amount(point),
            format!("{:.1}/s", per_replica(point)),
            point.steps,
            bar(point.capacity, most)
        );
    }
    text.push('\n');
    for line in conclusions(capacity) {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// The conclusions from the points, one line each.
pub(crate) fn conclusions(capacity: &Capacity) -> Vec<String> {
    let mut lines = Vec::new();
    match (&capacity.scalability, &capacity.no_scalability) {
        (Some(law), _) => lines.extend(law_lines(law)),
        (None, Some(reason)) => lines.push(format!("Scalability law: {reason}")),
        (None, None) => {}
    }
    if let Some(elastic) = &capacity.elastic {
        let known = |value: Option<f64>, unit: &str| {
            value.map_or_else(|| "not found".to_owned(), |value| format!("{value:.1}{unit}"))
        };
        lines.push(format!(
            "With scaling on: highest plateau {}, steepest ramp {}, time to scale {}",
            known(elastic.plateau, "/s"),
            known(elastic.ramp, "/s per second"),
            known(elastic.time_to_scale, " s")
        ));
    }
    if let Some(suggestion) = &capacity.suggestion {
        let target = suggestion
            .average_value
            .map_or_else(|| "none".to_owned(), |value| format!("{value:.1}/s per pod"));
        lines.push(format!("Suggested HPA target: {target} ({})", suggestion.reason));
    }
    lines
}

fn law_lines(law: &Scalability) -> [String; 2] {
    let error = |error: Option<f64>| error.map_or_else(String::new, |error| format!(" +- {error:.4}"));
    let knee = law.knee.map_or_else(
        || "none: more replicas never carry less".to_owned(),
        |knee| format!("{knee:.1} replicas; more carry less"),
    );
    [
        format!(
            "Scalability law: one replica {:.1}/s, contention {:.4}{}, coherency {:.5}{}, residual {:.1} %",
            law.lambda,
            law.alpha,
            error(law.alpha_error),
            law.beta,
            error(law.beta_error),
            100.0 * law.residual
        ),
        format!("Knee: {knee}"),
    ]
}

/// The capacity of a point. `>=` marks a capacity of which only a lower bound is known.
pub(crate) fn amount(point: &Point) -> String {
    let least = if point.failed.is_none() { ">= " } else { "" };
    format!("{least}{:.1}/s", point.capacity)
}

pub(crate) fn per_replica(point: &Point) -> f64 {
    point.capacity / f64::from(point.replicas.max(1))
}

fn bar(value: f64, most: f64) -> String {
    let mut bar = String::new();
    let mut drawn = 0.0;
    while most > 0.0 && drawn + 0.5 <= BAR * value / most {
        bar.push('#');
        drawn += 1.0;
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::report::testing::capacity;

    #[test]
    fn the_curve_the_law_the_knee_and_the_target_are_told() {
        let text = render(&capacity());
        for words in [
            "REPLICAS   CAPACITY   PER REPLICA   STEPS",
            "       2    175.4/s        87.7/s      12   #########################",
            "one replica 100.0/s, contention 0.1000 +- 0.0000, coherency 0.02000 +- 0.0000, residual 0.0 %",
            "Knee: 6.7 replicas",
            "Suggested HPA target: 24.8/s per pod (70 % of what one replica carries",
        ] {
            assert!(text.contains(words), "{words:?} is not in\n{text}");
        }
    }

    #[test]
    fn what_was_not_found_is_said_and_a_bound_is_no_capacity() {
        let mut found = capacity();
        found.points.truncate(1);
        found.points[0].failed = None;
        found.elastic = Some(crate::capacity::report::Elastic::default());
        found.conclude(1);
        let text = render(&found);
        assert!(text.contains(">= 100.0/s"), "{text}");
        assert!(
            text.contains("at least 3") && text.contains("highest plateau not found"),
            "{text}"
        );
    }
}
