//! What the search found, as a table for people.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Figures, Optimization, Point, Stretch, command::command};
use crate::simulate::comparison::text::{aligned, percent, share};

/// Columns and rows: what there is, then each point of the front.
#[must_use]
pub fn table(found: &Optimization, priced: bool) -> (Vec<String>, Vec<Vec<String>>) {
    let cost = if priced {
        "COST/MONTH"
    } else {
        "REPLICA-HOURS/MONTH"
    };
    let mut columns = vec!["POINT".to_owned()];
    columns.extend(found.fields.iter().map(|field| field.name.to_uppercase()));
    columns.extend(
        [
            "FITTED SHORT",
            "FITTED COST",
            "SHORT",
            "VIOLATIONS",
            "REFUSED",
            cost,
            "RESCALES",
            "SHORT AT HALF",
            "SHORT AT TWICE",
        ]
        .map(str::to_owned),
    );
    let rows = named(found).map(|(name, point)| {
        let figures = &point.figures;
        let mut cells = vec![name];
        cells.extend(point.values.iter().map(shown));
        let short = |figures: &Figures| percent(figures.outcome.short());
        cells.extend([
            short(&figures.fitted),
            format!("{:.2}", figures.fitted.cost),
            short(&figures.judged),
            share(figures.judged.outcome.violations, &figures.judged.outcome),
            share(figures.judged.outcome.refused, &figures.judged.outcome),
            format!("{:.2}", figures.judged.cost),
            figures.judged.outcome.rescales.to_string(),
            short(&figures.at_half),
            short(&figures.at_twice),
        ]);
        cells
    });
    (columns, rows.collect())
}

/// Each point with its name: `current`, or its number; a star marks the recommended one.
fn named(found: &Optimization) -> impl Iterator<Item = (String, &Point)> {
    let chosen = found.recommendation.point;
    let numbers = found.front.iter().enumerate().map(move |(position, point)| {
        let mark = if chosen == Some(position) { "*" } else { "" };
        (format!("{}{mark}", position + 1), point)
    });
    [("current".to_owned(), &found.current)]
        .into_iter()
        .chain(numbers)
}

/// The table, what is recommended, and the command that does it.
#[must_use]
pub fn render(found: &Optimization, priced: bool) -> String {
    let (columns, rows) = table(found, priced);
    let table: Vec<Vec<String>> = [columns].into_iter().chain(rows).collect();
    let mut text = aligned(&table);
    text.push('\n');
    for line in notes(found) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- {line}");
    }
    text.push('\n');
    let _ = writeln!(text, "{}", advice(found));
    if let Some(command) = command(found) {
        let _ = writeln!(text, "\n{command}");
    }
    text
}

/// What is recommended, and why.
#[must_use]
pub fn advice(found: &Optimization) -> String {
    let reason = &found.recommendation.reason;
    match found.recommendation.point {
        Some(position) => format!("Recommended: point {}. {reason}", position + 1),
        None => format!("Keep what there is. {reason}"),
    }
}

/// How the points were found, one sentence each.
#[must_use]
pub fn notes(found: &Optimization) -> Vec<String> {
    let ended = if found.complete {
        "no neighbour of a point was left"
    } else {
        "the bound on the runs ended the search: more may be found with a higher --runs"
    };
    let mut lines = vec![
        format!(
            "Found on {}, judged on {}, also with half and with twice the time to Ready.",
            stretch(&found.fitted),
            stretch(&found.judged)
        ),
        format!(
            "{} settings were replayed: {ended}. A point is one that no other one beat in both shortage and cost on the first half; the recommended one may be beaten.",
            found.runs
        ),
    ];
    lines.extend(found.warnings.iter().cloned());
    lines
}

fn stretch(stretch: &Stretch) -> String {
    format!(
        "{} to {} ({:.1} h of {:.1} h have values)",
        stretch.from,
        stretch.to,
        stretch.hours,
        stretch.whole()
    )
}

/// A value in a cell.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(policies) => {
            let each: Vec<String> = policies.iter().map(policy).collect();
            each.join(", ")
        }
        other => other.to_string(),
    }
}

/// A policy in short: `4/15s` is 4 pods in 15 s, `100%/15s` a percentage.
fn policy(policy: &Value) -> String {
    let part = |name: &str| policy.get(name).map(Value::to_string).unwrap_or_default();
    let unit = if policy.get("type").and_then(Value::as_str) == Some("Percent") {
        "%"
    } else {
        ""
    };
    format!("{}{unit}/{}s", part("value"), part("periodSeconds"))
}
