//! A simulated sync as text.

use std::fmt::Write as _;

use vas_diagnose::simulate::sync::{Event, MetricReport, Report};

/// Writes what came of a sync.
pub(super) fn text(report: &Report) -> String {
    let Report {
        current,
        desired,
        reason,
        eventually,
        ..
    } = report;
    let mut text = format!("{current} replicas -> {desired} ({reason:?})");
    // Writing to a String cannot fail.
    if let Some(proposal) = report.proposal {
        let _ = write!(text, "; the metrics ask for {proposal}");
    }
    if eventually != desired {
        let _ = write!(text, ", {eventually} in the end");
    }
    text.push_str("\n\nMetrics:\n");
    for metric in &report.metrics {
        text.push_str(&line(metric));
    }
    text.push_str("\nConditions:\n");
    for condition in &report.conditions {
        let _ = writeln!(
            text,
            "  {:<17} {:<7} {}",
            condition.type_, condition.status, condition.reason
        );
    }
    text.push_str("\nRemembered:\n");
    let recommendations = report.state.recommendations.iter();
    let recommendations = recommendations.map(|one| (one.replicas, one.age_seconds));
    text.push_str(&ages("recommendations", recommendations));
    let events = |events: &[Event]| -> Vec<_> {
        events
            .iter()
            .map(|event| (event.change, event.age_seconds))
            .collect()
    };
    text.push_str(&ages(
        "scaled up by",
        events(&report.state.scale_up_events).into_iter(),
    ));
    text.push_str(&ages(
        "scaled down by",
        events(&report.state.scale_down_events).into_iter(),
    ));
    text
}

fn line(metric: &MetricReport) -> String {
    let mark = if metric.decides { '*' } else { ' ' };
    let mut line = format!("  {mark} {} ({})", metric.name, metric.type_);
    if let Some(ratio) = metric.ratio {
        let _ = write!(line, ": {ratio:.3}x");
    }
    if let Some(proposal) = metric.proposal {
        let _ = write!(line, " -> {proposal}");
    }
    if let Some(error) = &metric.error {
        let _ = write!(line, ": {error}");
    }
    line + "\n"
}

/// Numbers with their ages, in the order of their slots.
fn ages(name: &str, entries: impl Iterator<Item = (i32, f64)>) -> String {
    let entries: Vec<String> = entries
        .map(|(number, age)| format!("{number} ({age} s ago)"))
        .collect();
    if entries.is_empty() {
        return String::new();
    }
    format!("  {name:<17} {}\n", entries.join(", "))
}
