//! Whether a step of a capacity search held: the scenario's thresholds, and that the service kept up.
//!
//! A short step hides an overload from its thresholds: 3 % too much for ten seconds make the last request only 0.3 s
//! late. But in a queue latency grows by load / capacity - 1 seconds each second, from the first one on. So a step
//! fails, too, when the median latency of its seconds grows by more than [`GROWTH`].

use super::search::Outcome;
use crate::loadtest::{
    model::{check::Check, measured::Second},
    report::{Report, Verdict},
};

/// Growth of latency, in seconds per second, beyond which a service falls behind: 1 % more load than it carries.
pub const GROWTH: f64 = 0.01;
/// Fewest seconds that have a slope worth the name.
const FEWEST: usize = 4;

/// What a step brought, with the reason unless it held: its thresholds, and whether the service kept up.
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

/// The same by the thresholds alone, for loads that a service may be behind for a while.
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

/// Growth of the median latency in seconds per second: the median of the slopes between any two seconds (Theil-Sen), so
/// that single slow seconds do not count. `None` with too few seconds.
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
    use crate::loadtest::model::latencies::Quantiles;

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
