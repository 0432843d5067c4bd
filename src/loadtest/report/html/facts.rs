//! The figures behind the charts, bucket by bucket: as tooltips of the timeline, and as a table.

use std::collections::BTreeMap;

use super::{
    buckets::Bucket,
    chart::plain,
    markup::Markup,
    timeline::{Timeline, moment},
};
use crate::{
    model::{
        latencies::Quantiles,
        scaling::{EventKind, Replicas, Scaling},
    },
    report::words,
    scenario::duration::short,
};

/// Figures of all buckets: a row for each bucket with a value for each column. A cell without a figure is
/// empty.
#[derive(Debug)]
pub(super) struct Facts {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Writes the tooltip of each bucket.
pub(super) fn slices(out: &mut Markup, facts: &Facts) {
    let half = facts.rows.len() / 2;
    out.element("div", &[("class", &"slices"), ("aria-hidden", &"true")], |out| {
        for (index, row) in facts.rows.iter().enumerate() {
            let mut words = String::new();
            for (name, value) in facts
                .columns
                .iter()
                .zip(row)
                .filter(|(_, value)| !value.is_empty())
            {
                let separator = if words.is_empty() { "" } else { "\n" };
                words.push_str(separator);
                words.push_str(name);
                words.push(' ');
                words.push_str(value);
            }
            // A tooltip in the right half opens to the left, so that it stays on the page.
            let class = if index < half { "right" } else { "left" };
            out.element("i", &[], |out| out.leaf("b", &[("class", &class)], words));
        }
    });
}

/// The same figures as a table, for readers who want the numbers.
pub(super) fn table(out: &mut Markup, facts: &Facts) {
    out.element("details", &[], |out| {
        out.leaf("summary", &[], "The figures of the timeline as a table");
        super::table::write(out, "numbers", &facts.columns, &facts.rows);
    });
}

impl Facts {
    /// The figures of all buckets.
    pub(super) fn of(timeline: &Timeline) -> Self {
        let closed = timeline.report.load_unit == "users";
        let mut columns: Vec<String> = ["time", "due/s", "answered/s", "failed/s", "p50", "p95", "p99"]
            .map(str::to_owned)
            .to_vec();
        columns.push(if closed { "users" } else { "under way" }.to_owned());
        let count = usize::try_from(timeline.grid.count).unwrap_or(0);
        let mut rows: Vec<Vec<String>> = (0..count).map(|_| Vec::new()).collect();
        for (index, row) in rows.iter_mut().enumerate() {
            let width = timeline.grid.width;
            let at = f64::from(u32::try_from(index).unwrap_or(0)) * f64::from(width);
            row.push(moment(at));
            row.extend(load(timeline.buckets.get(index)));
        }
        let several = timeline.report.workloads.len() > 1;
        for workload in &timeline.report.workloads {
            let scaling = &workload.scaling;
            let of = if several {
                format!(" of {}", scaling.target)
            } else {
                String::new()
            };
            replicas(timeline, scaling, &of, &mut columns, &mut rows);
            metrics(timeline, scaling, &of, &mut columns, &mut rows);
            events(timeline, scaling, &of, &mut columns, &mut rows);
        }
        Self { columns, rows }
    }
}

fn load(bucket: Option<&Bucket>) -> [String; 7] {
    let Some(bucket) = bucket else {
        return Default::default();
    };
    let quantile = |of: fn(Quantiles) -> std::time::Duration| {
        bucket
            .latency
            .map(|latency| short(of(latency)))
            .unwrap_or_default()
    };
    [
        plain(bucket.due.mean),
        plain(bucket.answered.mean),
        plain(bucket.failed.high),
        quantile(|latency| latency.p50),
        quantile(|latency| latency.p95),
        quantile(|latency| latency.p99),
        bucket.concurrency.to_string(),
    ]
}

/// Name of a figure, and how it is read.
type Figure = (&'static str, fn(&Replicas) -> u32);

/// Replicas at the end of each bucket.
fn replicas(
    timeline: &Timeline,
    scaling: &Scaling,
    of: &str,
    columns: &mut Vec<String>,
    rows: &mut [Vec<String>],
) {
    if scaling.replicas.is_empty() {
        return;
    }
    let figures: [Figure; 3] = [
        ("desired", |seen| seen.desired),
        ("current", |seen| seen.current),
        ("Ready", |seen| seen.ready),
    ];
    columns.extend(figures.map(|(name, _)| format!("{name}{of}")));
    for (index, row) in rows.iter_mut().enumerate() {
        let until = scaling
            .replicas
            .partition_point(|seen| timeline.grid.index(seen.at) <= index);
        let last = until.checked_sub(1).and_then(|last| scaling.replicas.get(last));
        row.extend(figures.map(|(_, of)| last.map(|seen| of(seen).to_string()).unwrap_or_default()));
    }
}

/// The ratio of each metric to its target at the end of each bucket.
fn metrics(
    timeline: &Timeline,
    scaling: &Scaling,
    of: &str,
    columns: &mut Vec<String>,
    rows: &mut [Vec<String>],
) {
    let mut by_name: BTreeMap<&str, Vec<(f64, Option<f64>)>> = BTreeMap::new();
    for seen in &scaling.metrics {
        by_name.entry(&seen.name).or_default().push((seen.at, seen.ratio));
    }
    for (name, course) in by_name {
        columns.push(format!("{name} / target{of}"));
        for (index, row) in rows.iter_mut().enumerate() {
            let until = course.partition_point(|(at, _)| timeline.grid.index(*at) <= index);
            let last = until.checked_sub(1).and_then(|last| course.get(last));
            row.push(match last {
                Some((_, Some(ratio))) if ratio.is_finite() => format!("{ratio:.2}"),
                Some(_) => "no data".to_owned(),
                None => String::new(),
            });
        }
    }
}

/// Count of events per bucket and kind.
fn events(
    timeline: &Timeline,
    scaling: &Scaling,
    of: &str,
    columns: &mut Vec<String>,
    rows: &mut [Vec<String>],
) {
    if scaling.events.is_empty() {
        return;
    }
    columns.push(format!("events{of}"));
    let mut buckets: BTreeMap<usize, BTreeMap<EventKind, u32>> = BTreeMap::new();
    for event in &scaling.events {
        let kinds = buckets.entry(timeline.grid.index(event.at)).or_default();
        *kinds.entry(event.kind).or_default() += 1;
    }
    for (index, row) in rows.iter_mut().enumerate() {
        let kinds = buckets.get(&index).into_iter().flatten();
        let counted: Vec<String> = kinds
            .map(|(kind, count)| format!("{count} {}", words::event(*kind)))
            .collect();
        row.push(counted.join(", "));
    }
}
