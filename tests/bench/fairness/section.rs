//! The section of docs/benchmarks.md on fairness: what one tenant gets beside many hostile ones.

use std::time::Duration;

use crate::{prometheus::Polls, table::Table};

/// Name of the section in its marks.
pub(crate) const NAME: &str = "fairness";

/// How the measurement was made.
pub(crate) struct Setting {
    /// Time, version and machine of the measurement.
    pub circumstances: String,
    pub tenants: usize,
    pub pods: usize,
    pub seconds: u64,
}

/// Figures of one stretch. Memory is in MiB.
pub(crate) struct Row {
    pub situation: &'static str,
    pub first: Duration,
    pub polls: Polls,
    pub most_at_once: usize,
    pub shapes: Option<u64>,
    pub refused: Option<u64>,
    pub resident: u64,
    pub peak: u64,
}

/// The section, without its marks.
pub(crate) fn text(setting: &Setting, rows: &[Row]) -> String {
    let Setting {
        circumstances,
        tenants,
        pods,
        seconds,
    } = setting;
    let mut table = Table::new(&[
        "situation",
        "first poll, s",
        "poll interval p50, s",
        "longest, s",
        "queries at once",
        "shapes polled",
        "refused",
        "RSS, MiB",
        "peak, MiB",
    ]);
    let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    for row in rows {
        table.row(vec![
            row.situation.to_owned(),
            format!("{:.1}", row.first.as_secs_f64()),
            format!("{:.1}", row.polls.median.as_secs_f64()),
            format!("{:.1}", row.polls.longest.as_secs_f64()),
            row.most_at_once.to_string(),
            count(row.shapes),
            count(row.refused),
            row.resident.to_string(),
            row.peak.to_string(),
        ]);
    }
    format!(
        "## One tenant beside {tenants} hostile ones\n\n\
         `make bench-fairness`: one replica of the metrics server with its default settings, {seconds} s in each situation. \
         {circumstances}. \
         The innocent tenant has a gauge, a counter and a query of its own; each hostile one has a resource with 256 metrics \
         of different queries, two thirds of which are never answered, and one third with series of {pods} pods. Intervals \
         are those of the innocent tenant's queries at Prometheus (5 s are asked for); `first poll` is that of the last of \
         its three metrics after the start of the process.\n\n{}",
        table.markdown()
    )
}
