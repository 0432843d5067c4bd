//! A run against an earlier one: what became better or worse, and by how much more than noise.
//!
//! Each figure is a median over the seconds of a run, or a mean where most seconds are zero or equal. Its noise is found by
//! the moving block bootstrap (Künsch, 1989): a slow second is seldom alone, so stretches of seconds are drawn again and
//! again, with replacement. A difference counts only if 95 of 100 draws agree on its sign and it is larger than what
//! nobody would notice.

pub mod render;

use serde::Serialize;

use super::{Workload, json::Stored};
use crate::loadtest::{
    model::{
        latencies::Quantiles,
        measured::{Second, ratio, share},
    },
    scenario::duration,
};

/// How often seconds are drawn.
const DRAWS: usize = 1000;
/// Share of the draws left out at either end.
const TAIL: f64 = 0.025;
/// Differences up to this share are the same to everybody.
const NOTICED: f64 = 0.05;
/// The unit of the closed model.
const USERS: &str = "users";
/// Fewer seconds than this say nothing.
const FEWEST: usize = 5;

/// Two runs beside each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What they differ in before anything was measured: reasons to doubt that one was made to be compared with the other.
    pub warnings: Vec<String>,
    /// Every figure of both.
    pub differences: Vec<Difference>,
}

/// One figure of two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// What, with its unit.
    pub figure: &'static str,
    /// In the earlier run; `None` where it was not measured.
    pub baseline: Option<f64>,
    /// In the later one.
    pub run: Option<f64>,
    /// Bounds of the change, as shares of the earlier figure; `None` where there are too few seconds.
    pub change: Option<(f64, f64)>,
    /// What to make of it.
    pub judgement: Judgement,
}

/// What to make of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Better, beyond noise.
    Better,
    /// Not told apart.
    Same,
    /// Worse, beyond noise.
    Worse,
    /// One of the runs did not measure it.
    Unknown,
}

/// What is read off a second and the workloads that were watched; `None` where nothing happened in it.
type Read = fn(&Second, &[Workload]) -> Option<f64>;

/// How seconds become one figure.
type Average = fn(&[f64]) -> Option<f64>;

/// A figure: its name, whether more of it is better, and how it is read.
struct Figure {
    name: &'static str,
    more_is_better: bool,
    /// Whether it is of the watched workloads, which most runs have not.
    watched: bool,
    average: Average,
    read: Read,
}

/// Users of the closed model ask for more of a faster service, so what they got is the figure. The open model asks for
/// what was planned, and more of that is no better service: what was answered of it is the figure.
const RATE: Figure = Figure {
    name: "answered per second",
    more_is_better: true,
    watched: false,
    average: median,
    read: |second, _| (second.due > 0).then(|| ratio(second.answered, 1)),
};
/// See [`RATE`].
const ANSWERED_OF_DUE: Figure = Figure {
    name: "answered of due, %",
    more_is_better: true,
    watched: false,
    average: median,
    read: |second, _| percent(second.answered, second.due),
};

const FIGURES: [Figure; 6] = [
    Figure {
        name: "p50, ms",
        more_is_better: false,
        watched: false,
        average: median,
        read: |second, _| millis(second, |latency| latency.p50.as_secs_f64()),
    },
    Figure {
        name: "p95, ms",
        more_is_better: false,
        watched: false,
        average: median,
        read: |second, _| millis(second, |latency| latency.p95.as_secs_f64()),
    },
    Figure {
        name: "p99, ms",
        more_is_better: false,
        watched: false,
        average: median,
        read: |second, _| millis(second, |latency| latency.p99.as_secs_f64()),
    },
    // Errors are rare: their median would always be zero.
    Figure {
        name: "failed, %",
        more_is_better: false,
        watched: false,
        average: mean,
        read: |second, _| percent(second.failed, second.ended()),
    },
    Figure {
        name: "sent twice, %",
        more_is_better: false,
        watched: false,
        average: mean,
        read: |second, _| percent(second.retried, second.ended()),
    },
    // Those of all workloads together: what the run cost.
    Figure {
        name: "Ready replicas",
        more_is_better: false,
        watched: true,
        average: mean,
        read: |second, workloads| {
            let ready = workloads.iter().map(|workload| {
                let seen = workload.scaling.replicas_at(f64::from(second.at))?;
                Some(f64::from(seen.ready))
            });
            let ready: Vec<f64> = ready.collect::<Option<_>>()?;
            (!ready.is_empty()).then(|| ready.iter().sum())
        },
    },
];

fn percent(part: u64, whole: u64) -> Option<f64> {
    share(part, whole).map(|share| 100.0 * share)
}

fn millis(second: &Second, of: fn(Quantiles) -> f64) -> Option<f64> {
    second.latency.map(|latency| 1e3 * of(latency))
}

/// A number below the one given, each as likely as the others. The same source gives the same answers.
pub type Draw<'a> = dyn FnMut(usize) -> usize + 'a;

/// Compares every figure of both runs; that of replicas only where both were watched.
pub fn compare(baseline: &Stored, run: &Stored, draw: &mut Draw<'_>) -> Comparison {
    Comparison {
        warnings: unlike(baseline, run),
        differences: differences(baseline, run, draw),
    }
}

fn differences(baseline: &Stored, run: &Stored, draw: &mut Draw<'_>) -> Vec<Difference> {
    let watched = !baseline.workloads.is_empty() && !run.workloads.is_empty();
    let users = [baseline, run].iter().any(|stored| stored.load_unit == USERS);
    let answered = if users { RATE } else { ANSWERED_OF_DUE };
    [answered]
        .iter()
        .chain(&FIGURES)
        .filter(|figure| watched || !figure.watched)
        .map(|figure| {
            let of = |stored: &Stored| -> Vec<f64> {
                let seconds = stored.measured.seconds.iter();
                seconds
                    .filter_map(|second| (figure.read)(second, &stored.workloads))
                    .collect()
            };
            difference(figure, &of(baseline), &of(run), draw)
        })
        .collect()
}

/// See [`Comparison::warnings`].
fn unlike(baseline: &Stored, run: &Stored) -> Vec<String> {
    let seconds = |stored: &Stored| stored.measured.elapsed.as_secs_f64();
    let apart = |one: f64, other: f64| (one - other).abs() > NOTICED * one.max(other);
    let load = |stored: &Stored| format!("{:.0} {}", stored.load.peak(), stored.load_unit);
    let loads = baseline.load_unit != run.load_unit || apart(baseline.load.peak(), run.load.peak());
    let length = |stored: &Stored| duration::format(stored.measured.elapsed);
    [
        (
            "scenarios",
            baseline.name.clone(),
            run.name.clone(),
            baseline.name != run.name,
        ),
        (
            "targets",
            baseline.target.clone(),
            run.target.clone(),
            baseline.target != run.target,
        ),
        ("loads", load(baseline), load(run), loads),
        (
            "lengths",
            length(baseline),
            length(run),
            apart(seconds(baseline), seconds(run)),
        ),
    ]
    .into_iter()
    .filter(|(.., differ)| *differ)
    .map(|(what, one, other, _)| format!("the runs have different {what}: {one} and {other}"))
    .collect()
}

fn difference(figure: &Figure, baseline: &[f64], run: &[f64], draw: &mut Draw<'_>) -> Difference {
    let Figure {
        name,
        more_is_better,
        average,
        ..
    } = *figure;
    let enough = baseline.len() >= FEWEST && run.len() >= FEWEST;
    let change = enough.then(|| bounds(baseline, run, average, draw)).flatten();
    let judgement = match change {
        None => Judgement::Unknown,
        Some((low, _)) if low > NOTICED => better(more_is_better),
        Some((_, high)) if high < -NOTICED => better(!more_is_better),
        Some(_) => Judgement::Same,
    };
    Difference {
        figure: name,
        baseline: average(baseline),
        run: average(run),
        change,
        judgement,
    }
}

fn better(is: bool) -> Judgement {
    if is { Judgement::Better } else { Judgement::Worse }
}

/// Bounds of the change between drawn seconds, as shares of the earlier figure (of one unit where that is zero).
fn bounds(baseline: &[f64], run: &[f64], average: Average, draw: &mut Draw<'_>) -> Option<(f64, f64)> {
    let mut changes = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        let before = average(&drawn(baseline, draw))?;
        let after = average(&drawn(run, draw))?;
        let unit = if before.abs() > 0.0 { before.abs() } else { 1.0 };
        changes.push((after - before) / unit);
    }
    changes.sort_by(f64::total_cmp);
    Some((quantile(&changes, TAIL)?, quantile(&changes, 1.0 - TAIL)?))
}

/// As many values as there are, in stretches of the cube root of their number.
fn drawn(values: &[f64], draw: &mut Draw<'_>) -> Vec<f64> {
    let mut length: usize = 1;
    while (length + 1).pow(3) <= values.len() {
        length += 1;
    }
    let stretches = values.len().saturating_sub(length) + 1;
    let mut drawn = Vec::with_capacity(values.len() + length);
    while drawn.len() < values.len() {
        let start = draw(stretches);
        drawn.extend(values.iter().skip(start).take(length));
    }
    drawn.truncate(values.len());
    drawn
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

fn mean(values: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
    let count = values.len() as f64;
    (count > 0.0).then(|| values.iter().sum::<f64>() / count)
}

fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into seconds or draws"
    )]
    let index = (share * sorted.len() as f64) as usize;
    sorted.get(index.min(sorted.len().checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests;
