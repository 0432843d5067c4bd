//! The comparison as a table for people, with every assumption under it.

use std::fmt::Write as _;

use vas_core::replay::{Outcome, seconds};

use super::{Capacity, Comparison, Row, Settings};
use crate::simulate::optimize;

/// Names of the columns, and a row for each policy.
pub(super) fn table(settings: &Settings, comparison: &Comparison) -> (Vec<String>, Vec<Vec<String>>) {
    let mut columns = vec![
        "POLICY",
        "SHORT",
        "VIOLATIONS",
        "REFUSED",
        "REPLICA-HOURS",
        "MEAN",
        "PEAK",
        "RESCALES",
    ];
    if settings.price.is_some() {
        columns.push("COST/MONTH");
    }
    let columns = columns.into_iter().map(str::to_owned).collect();
    (columns, comparison.rows.iter().map(cells).collect())
}

/// The table, with every assumption under it, and what a search found.
#[must_use]
pub fn render(settings: &Settings, comparison: &Comparison) -> String {
    let (columns, rows) = table(settings, comparison);
    let table: Vec<Vec<String>> = [columns].into_iter().chain(rows).collect();
    let mut text = aligned(&table);
    text.push('\n');
    for line in assumptions(settings, comparison) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- {line}");
    }
    if let Some(found) = &comparison.optimization {
        text.push('\n');
        text += &optimize::text::render(found, settings.price.is_some());
    }
    text
}

/// Rows of cells as lines, in columns.
pub(in crate::simulate) fn aligned(table: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..table.first().map_or(0, Vec::len))
        .map(|column| {
            let cells = table.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for row in table {
        let cells = row.iter().zip(&widths).enumerate();
        let padded = cells.map(|(column, (cell, width))| {
            // Names stand on the left, numbers on the right.
            if column == 0 {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        let line = padded.collect::<Vec<_>>().join("   ");
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn cells(row: &Row) -> Vec<String> {
    let outcome = &row.outcome;
    let share = |part: f64| share(part, outcome);
    let mut cells = vec![
        row.name.clone(),
        format!("{} ({})", minutes(row.short_minutes()), percent(outcome.short())),
        share(outcome.violations),
        share(outcome.refused),
        format!("{:.1}", outcome.replica_hours()),
        format!("{:.2}", outcome.mean_replicas()),
        outcome.peak.to_string(),
        outcome.rescales.to_string(),
    ];
    cells.extend(row.cost.map(|cost| format!("{cost:.2}")));
    cells
}

fn minutes(minutes: f64) -> String {
    format!("{minutes:.1} min")
}

/// So many of the requests that were offered, in percent; `-` where none were.
pub(in crate::simulate) fn share(part: f64, outcome: &Outcome) -> String {
    if outcome.offered > 0.0 {
        percent(part / outcome.offered)
    } else {
        "-".to_owned()
    }
}

/// A share in percent, with as many digits as tell it from nothing.
pub(in crate::simulate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 {
        "0 %".to_owned()
    } else if percent < 0.01 {
        "< 0.01 %".to_owned()
    } else {
        format!("{percent:.2} %")
    }
}

/// Every assumption, one line each.
pub(super) fn assumptions(settings: &Settings, comparison: &Comparison) -> Vec<String> {
    let assumed = &settings.assumptions;
    let judged = comparison.rows.first().map(|row| row.outcome).unwrap_or_default();
    let shown = |millis| format!("{} s", seconds(millis));
    let total = seconds(settings.load.end());
    let mut lines = vec![
        format!(
            "Judged: {:.1} h of {:.1} h of load from {}, after {} to warm up; what has no value is judged nowhere.",
            judged.seconds / 3600.0,
            total / 3600.0,
            settings.load.start(),
            shown(assumed.warm_up),
        ),
        format!(
            "A Ready pod serves {} requests/s{}. Short is the time in which the load is above what the Ready pods serve.",
            round(assumed.capacity),
            match settings.capacity {
                Capacity::Given => "",
                Capacity::OfTarget => " (the target / 0.7; --capacity says better)",
            }
        ),
        format!(
            "A pod is Ready after {} s at most, and the youngest go first.",
            assumed.time_to_ready.longest()
        ),
        format!(
            "Requests wait in one queue in front of the pods: longer than {} s is a violation, longer than {} s is refused.",
            assumed.objective, assumed.patience
        ),
        format!(
            "Metrics are {} old (a scrape and a poll); the HPA controller decides every {}, with its flags at their defaults.",
            shown(assumed.scrape + assumed.poll),
            shown(assumed.sync)
        ),
    ];
    if settings.price.is_some() {
        lines.push("Cost is that of the replicas for a month of 730 h. Nodes are not modelled.".to_owned());
    }
    lines.extend(settings.assumed.iter().cloned());
    lines.extend(settings.left_out.iter().map(|line| format!("Left out: {line}.")));
    lines
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
