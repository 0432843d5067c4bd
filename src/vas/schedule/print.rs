//! Timetables as text: a line for what holds now, and one for each change.

use std::fmt::Write as _;

use super::Listed;
use vas_core::schedule::Timetable;

/// Writes the timetables of all resources.
pub(super) fn text(listed: &[Listed]) -> String {
    let mut text = String::new();
    for resource in listed {
        let name = if resource.namespace.is_empty() {
            resource.name.clone()
        } else {
            format!("{}/{}", resource.namespace, resource.name)
        };
        if resource.workloads.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name}: no workload has a schedule");
        }
        for timetable in &resource.workloads {
            table(&mut text, &name, timetable);
        }
    }
    text
}

fn table(text: &mut String, name: &str, timetable: &Timetable) {
    let suspended = if timetable.suspended {
        "; suspended, so its HPA has the widest bounds until it scales again"
    } else {
        ""
    };
    let _ = writeln!(
        text,
        "{name}, workload {}: base {}{suspended}",
        timetable.workload, timetable.base
    );
    let zone = timetable
        .rows
        .iter()
        .map(|row| row.time_zone.len())
        .max()
        .unwrap_or(4);
    let _ = writeln!(
        text,
        "  {:<20}  {:<6}  {:<zone$}  {:>5}  {:>5}  ENTRIES",
        "LOCAL TIME", "OFFSET", "ZONE", "MIN", "MAX"
    );
    for (position, row) in timetable.rows.iter().enumerate() {
        let entries = if row.active.is_empty() {
            "-".to_owned()
        } else {
            row.active.join(", ")
        };
        let now = if position == 0 { " (now)" } else { "" };
        let _ = writeln!(
            text,
            "  {:<20}  {:<6}  {:<zone$}  {:>5}  {:>5}  {entries}{now}",
            row.local, row.offset, row.time_zone, row.min_replicas, row.max_replicas
        );
    }
    if timetable.more {
        let _ = writeln!(text, "  there are more changes; give fewer --days");
    }
}
