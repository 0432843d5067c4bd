//! An explanation as text: two spaces for each level, lines of at most 100 columns.

use std::fmt::Write as _;

use vas_core::hpa::{Counts, Outcome};
use vas_diagnose::explain::{ConditionLine, Explanation, MetricReport, WorkloadReport};

/// Longest line in columns. A longer word is not broken.
const WIDTH: usize = 100;

/// Writes an explanation as text.
pub(super) fn text(explanation: &Explanation) -> String {
    let mut page = Page::default();
    let environment = explanation.environment.as_ref();
    let environment = environment
        .map(|name| format!(" (environment {name})"))
        .unwrap_or_default();
    page.line(
        0,
        &format!("{}/{}{environment}", explanation.namespace, explanation.name),
    );
    for condition in &explanation.conditions {
        page.wrapped(2, &shown(condition));
    }
    for note in &explanation.notes {
        page.wrapped(2, &format!("Note: {note}"));
    }
    for workload in &explanation.workloads {
        page.line(0, "");
        print_workload(&mut page, workload);
    }
    page.text
}

fn print_workload(page: &mut Page, workload: &WorkloadReport) {
    page.line(0, &workload.name);
    let hpa = &workload.hpa;
    let exists = if hpa.exists { "" } else { " (does not exist)" };
    page.line(2, &format!("Scales:    {}", workload.target));
    page.line(2, &format!("HPA:       {}{exists}", hpa.name));
    if let Some(replicas) = workload.replicas {
        let bounds = format!("{} to {}", replicas.min, replicas.max);
        let pods = format!("{} pods exist, {} ready", replicas.status, replicas.ready);
        page.line(
            2,
            &format!("Replicas:  {} ({pods}); allowed {bounds}", replicas.current),
        );
    }
    if let Some(schedule) = &workload.schedule {
        page.wrapped(2, &format!("Schedule:  {schedule}"));
    }
    if let Some(at) = hpa.last_scale_time {
        page.line(2, &format!("Rescaled:  {at}"));
    }
    for note in &workload.notes {
        page.wrapped(2, &format!("Note:      {note}"));
    }
    if !workload.metrics.is_empty() {
        page.line(2, "Metrics:");
    }
    for metric in &workload.metrics {
        print_metric(page, metric);
    }
    for (name, direction) in [("up", &workload.scale_up), ("down", &workload.scale_down)] {
        if let Some(direction) = direction {
            let window = direction.stabilization_window_seconds;
            let window = if window == 0 {
                String::new()
            } else {
                format!(", held for {window} s")
            };
            let reach = format!("from here to {}", direction.limit);
            page.wrapped(
                2,
                &format!("Scale {name:<5}{}{window}; {reach}", direction.policies),
            );
        }
    }
    if !hpa.conditions.is_empty() {
        page.line(2, "The HPA says:");
    }
    for condition in &hpa.conditions {
        page.wrapped(4, &shown(condition));
    }
    page.line(0, "");
    page.hanging(0, 2, &workload.summary);
}

fn print_metric(page: &mut Page, metric: &MetricReport) {
    let mark = if metric.decides { '*' } else { ' ' };
    let value = metric.value.as_deref().unwrap_or("no value");
    let mut line = format!(
        "  {mark} {} ({}): {value}, target {}",
        metric.name, metric.type_, metric.target
    );
    // Writing to a String cannot fail.
    if let Some(ratio) = metric.ratio {
        let _ = write!(line, ", {ratio:.2}x");
    }
    if let Some(proposal) = metric.proposal {
        let replicas = if proposal == 1 { "replica" } else { "replicas" };
        let _ = write!(line, "  ->  {proposal} {replicas}");
    }
    match metric.outcome {
        Some(Outcome::WithinTolerance) => line.push_str(", within tolerance"),
        Some(Outcome::Damped) => line.push_str(", held back by pods that do not count"),
        Some(Outcome::Scaled) | None => {}
    }
    page.wrapped(0, &line);
    match &metric.query {
        Some(query) => page.wrapped(6, &format!("query   {query}")),
        None => page.line(6, &format!("from    {}", metric.api)),
    }
    if let (Some(sampled), Some(age)) = (metric.sampled, metric.age_seconds) {
        page.line(6, &format!("sample  {age} s old, {sampled}"));
    }
    if let Some(pods) = metric.pods {
        page.line(6, &format!("pods    {}", counted(pods)));
    }
    if let Some(error) = &metric.error {
        page.wrapped(6, &format!("error   {error}"));
    }
}

fn counted(pods: Counts) -> String {
    let parts = [
        (
            pods.unready,
            "not ready yet (0 on the way up, left out on the way down)",
        ),
        (
            pods.missing,
            "without a value (0 on the way up, at their target on the way down)",
        ),
        (pods.ignored, "going or failed (ignored)"),
    ];
    let others = parts.into_iter().filter(|(number, _)| *number > 0);
    let others: Vec<String> = others
        .map(|(number, words)| format!("{number} {words}"))
        .collect();
    let mut text = format!("{} counted", pods.counted);
    for other in others {
        text.push_str(", ");
        text.push_str(&other);
    }
    text
}

fn shown(condition: &ConditionLine) -> String {
    let ConditionLine {
        type_,
        status,
        reason,
        message,
    } = condition;
    format!("{type_:<17} {status:<7} {reason}: {message}")
}

/// The text that is being written.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, indent: usize, text: &str) {
        self.text
            .push_str(&" ".repeat(if text.is_empty() { 0 } else { indent }));
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Writes text and breaks it between words. Further lines are indented by eight more columns than the
    /// first.
    fn wrapped(&mut self, indent: usize, text: &str) {
        self.hanging(indent, 8, text);
    }

    fn hanging(&mut self, indent: usize, hang: usize, text: &str) {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        for (position, word) in text.split(' ').enumerate() {
            let further = if lines.is_empty() { 0 } else { hang };
            let length = indent + further + line.chars().count() + 1 + word.chars().count();
            if length > WIDTH && !line.trim().is_empty() {
                lines.push(std::mem::take(&mut line));
            } else if position > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
        for (position, line) in lines.iter().enumerate() {
            let further = if position == 0 { 0 } else { hang };
            self.line(indent + further, line.trim_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_break_between_words_and_hang() {
        let mut page = Page::default();
        page.wrapped(2, &format!("error   {}", "word ".repeat(30).trim_end()));
        let lines: Vec<&str> = page.text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("  error   word") && lines[0].len() <= WIDTH);
        assert!(lines[1].starts_with("          word"));
        assert_eq!(page.text.matches("word").count(), 30);
    }
}
