//! Decides whether a step of a capacity search held: the scenario's thresholds are met, and the service kept
//! up.
//!
//! The thresholds alone miss an overload in a short step: 3 % too much for ten seconds delays the last
//! request by 0.3 s only. But in a queue, latency grows by load / capacity - 1 seconds each second, from the
//! first second on; with 3 % too much it grows by 30 ms each second. So a step also fails when its median
//! latency grows by more than [`GROWTH`].

use super::search::Outcome;
use crate::{
    model::{check::Check, measured::Second},
    report::{Report, Verdict},
};

/// Growth of latency, in seconds per second, above which a service falls behind. 0.01 means 1 % more load
/// than it carries.
pub const GROWTH: f64 = 0.01;
/// With fewer seconds than this, a slope says nothing.
const FEWEST: usize = 4;

/// The outcome of a step by its thresholds and the growth of its latency, with the reason unless it held.
pub fn outcome(report: &Report) -> (Outcome, String) {
    match (objective(report), growth(&report.measured.seconds)) {
        ((Outcome::Held, _), Some(growth)) if growth > GROWTH => (
            Outcome::Failed,
            format!(
                "latency grew by {:.0} ms each second: the service falls behind",
                1e3 * growth
            ),
        ),
        (judged, _) => judged,
    }
}

/// The outcome by the thresholds alone, for loads that a service may fall behind for a while.
pub fn objective(report: &Report) -> (Outcome, String) {
    let missed: Vec<String> = report
        .checks
        .iter()
        .filter(|check| !check.passed)
        .map(words)
        .collect();
    match report.verdict {
        Verdict::Invalid => (Outcome::Inconclusive, report.doubts.join("; ")),
        Verdict::Pass => (Outcome::Held, String::new()),
        Verdict::Fail if missed.is_empty() => {
            (Outcome::Failed, format!("given up: {:?}", report.measured.end))
        }
        Verdict::Fail => (Outcome::Failed, missed.join("; ")),
    }
}

fn words(check: &Check) -> String {
    format!("{}: {}", check.name, check.measured)
}

/// Growth of the median latency, in seconds per second. It is the median of the slopes between any two
/// seconds (Theil-Sen), so that single slow seconds do not matter. `None` with too few seconds.
pub fn growth(seconds: &[Second]) -> Option<f64> {
    let points: Vec<(f64, f64)> = seconds
        .iter()
        .filter_map(|second| Some((f64::from(second.at), second.latency?.p50.as_secs_f64())))
        .collect();
    if points.len() < FEWEST {
        return None;
    }
    let mut slopes: Vec<f64> = Vec::new();
    for (index, &(at, latency)) in points.iter().enumerate() {
        let later = points.iter().skip(index + 1);
        slopes.extend(later.map(|&(then, grown)| (grown - latency) / (then - at)));
    }
    slopes.sort_by(f64::total_cmp);
    let (low, high) = (slopes.get((slopes.len() - 1) / 2)?, slopes.get(slopes.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::latencies::Quantiles;

    fn seconds(latency: impl Fn(u32) -> f64) -> Vec<Second> {
        (0..10)
            .map(|at| Second {
                at,
                latency: Some(Quantiles {
                    p50: Duration::from_secs_f64(latency(at)),
                    ..Quantiles::default()
                }),
                ..Second::default()
            })
            .collect()
    }

    #[test]
    fn three_percent_too_much_is_seen_and_a_slow_second_is_not() {
        let overloaded = growth(&seconds(|at| 0.02 + 0.03 * f64::from(at))).unwrap();
        assert!((overloaded - 0.03).abs() < 1e-6, "{overloaded}");
        let slow = growth(&seconds(|at| if at == 7 { 0.9 } else { 0.02 })).unwrap();
        assert!(slow.abs() < 1e-6, "{slow}");
    }

    #[test]
    fn too_few_seconds_and_those_without_an_answer_say_nothing() {
        assert_eq!(growth(&seconds(|_| 0.1)[..3]), None);
        let silent = [0, 1, 2, 3, 4].map(|at| Second {
            at,
            ..Second::default()
        });
        assert_eq!(growth(&silent), None);
    }
}
