//! Compares a run with an earlier one: what became better or worse, and whether the change is more than
//! noise.
//!
//! Each figure is the median over the seconds of a run, or the mean where most seconds are zero or equal. Its
//! noise is estimated by the moving block bootstrap (Künsch, 1989). A slow second is seldom alone, so not
//! single seconds but blocks of consecutive seconds are drawn, with replacement, until there are as many
//! seconds as in the run. This is done 1000 times. A difference counts only if 95 % of the draws agree on its
//! sign and it is larger than anybody would notice (5 %).
//!
//! Example: the p95 rises from 100 ms to 120 ms. 95 % of the draws give a change between +8 % and +31 %. The
//! lower bound is above +5 %, so the p95 became worse. With bounds of +2 % and +37 % it would count as the
//! same.

pub mod render;

use serde::Serialize;

use super::{Workload, json::Stored};
use crate::{
    model::{
        latencies::Quantiles,
        measured::{Second, ratio, share},
    },
    scenario::duration,
};

/// Number of draws of the bootstrap.
const DRAWS: usize = 1000;
/// Share of the draws that is cut off at each end.
const TAIL: f64 = 0.025;
/// Differences up to this share count as no difference.
const NOTICED: f64 = 0.05;
/// The load unit of the closed model.
const USERS: &str = "users";
/// With fewer seconds than this no change is computed.
const FEWEST: usize = 5;

/// A comparison of two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Differences in scenario, target, load or length, which make the runs hard to compare.
    pub warnings: Vec<String>,
    /// Every figure of both runs.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// The judgement on the later run: worse if any figure is, unknown if nothing could be compared, and the
    /// same otherwise.
    pub fn judgement(&self) -> Judgement {
        let mut judgements = self.differences.iter().map(|difference| difference.judgement);
        if judgements.clone().any(|judgement| judgement == Judgement::Worse) {
            Judgement::Worse
        } else if judgements.all(|judgement| judgement == Judgement::Unknown) {
            Judgement::Unknown
        } else {
            Judgement::Same
        }
    }
}

/// One figure of two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Name of the figure, with its unit.
    pub figure: &'static str,
    /// The value in the earlier run; `None` where it was not measured.
    pub baseline: Option<f64>,
    /// The value in the later run; `None` where it was not measured.
    pub run: Option<f64>,
    /// Lower and upper bound of the change, as shares of the earlier value; `None` where there are too few
    /// seconds.
    pub change: Option<(f64, f64)>,
    /// The judgement on the difference.
    pub judgement: Judgement,
}

/// The judgement on a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// The figure became better, beyond noise.
    Better,
    /// The difference is within the noise, or too small to notice.
    Same,
    /// The figure became worse, beyond noise.
    Worse,
    /// One of the runs did not measure the figure.
    Unknown,
}

/// Computes a figure of one second, from the second and the watched workloads. `None` leaves the second out.
type Reader = fn(&Second, &[Workload]) -> Option<f64>;

/// Averages the values of all seconds.
type Average = fn(&[f64]) -> Option<f64>;

/// A figure that is compared.
struct Figure {
    name: &'static str,
    more_is_better: bool,
    /// Whether the figure needs watched workloads, which most runs do not have.
    watched: bool,
    average: Average,
    read: Reader,
}

/// The rate, compared in the closed model: users send more requests to a faster service. In the open model
/// the rate is as planned, so there the share of answered requests is compared ([`ANSWERED_OF_DUE`]).
const RATE: Figure = Figure {
    name: "answered per second",
    more_is_better: true,
    watched: false,
    average: median,
    read: |second, _| (second.due > 0).then(|| ratio(second.answered, 1)),
};
/// The share of answered requests, compared in the open model. See [`RATE`].
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
    // Most seconds have no errors, so the median would always be zero.
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
    // The Ready replicas of all workloads together: the cost of the run.
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

/// Draws a number below the given one, each with the same probability. A source with a fixed seed makes the
/// comparison repeatable.
pub type Draw<'a> = dyn FnMut(usize) -> usize + 'a;

/// Compares every figure of both runs. Replicas are compared only where both runs were watched.
pub fn compare(baseline: &Stored, run: &Stored, draw: &mut Draw<'_>) -> Comparison {
    Comparison {
        warnings: unlike(baseline, run),
        differences: differences(baseline, run, draw),
    }
}

fn differences(baseline: &Stored, run: &Stored, draw: &mut Draw<'_>) -> Vec<Difference> {
    let watched = !baseline.workloads.is_empty() && !run.workloads.is_empty();
    // Runs of different models are compared by the rate too; a warning says that their loads differ.
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

/// Differences between the runs themselves; see [`Comparison::warnings`].
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

/// Bounds of the change between drawn seconds, as shares of the earlier value. Where that is zero, they are
/// in the unit of the figure.
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

/// Draws as many values as there are, in blocks. The length of a block is the cube root of their number: 6
/// seconds for a run of 300.
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
    // The last block may be cut off, so that both runs keep their number of seconds.
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
