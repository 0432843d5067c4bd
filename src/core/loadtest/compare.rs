//! A run against an earlier one: what became better or worse, and by how much more than noise.
//!
//! Each figure is a median over the seconds of a run. Its noise is found by the bootstrap (Efron, 1979): seconds are drawn
//! again and again, with replacement, and the difference counts only if 95 of 100 draws agree on its sign and it is
//! larger than what nobody would notice.

use super::{
    latencies::Quantiles,
    measured::{Measured, Second, ratio},
};

/// How often seconds are drawn.
const DRAWS: usize = 1000;
/// Share of the draws left out at either end.
const TAIL: f64 = 0.025;
/// Differences up to this share are the same to everybody.
const NOTICED: f64 = 0.05;
/// Fewer seconds than this say nothing.
const FEWEST: usize = 5;

/// One figure of two runs.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// What is read off a second; `None` where nothing happened in it.
type Figure = fn(&Second) -> Option<f64>;

/// Figures, and whether more of them is better.
const FIGURES: [(&str, bool, Figure); 5] = [
    ("answered per second", true, |second| {
        (second.due > 0).then(|| ratio(second.answered, 1))
    }),
    ("p50, ms", false, |second| {
        millis(second, |latency| latency.p50.as_secs_f64())
    }),
    ("p95, ms", false, |second| {
        millis(second, |latency| latency.p95.as_secs_f64())
    }),
    ("p99, ms", false, |second| {
        millis(second, |latency| latency.p99.as_secs_f64())
    }),
    ("failed, %", false, |second| {
        let ended = second.answered + second.failed;
        (ended > 0).then(|| 100.0 * ratio(second.failed, ended))
    }),
];

fn millis(second: &Second, of: fn(Quantiles) -> f64) -> Option<f64> {
    second.latency.map(|latency| 1e3 * of(latency))
}

/// A number below the one given, each as likely as the others. The same source gives the same answers.
pub type Draw<'a> = dyn FnMut(usize) -> usize + 'a;

/// Every figure of both runs.
pub fn compare(baseline: &Measured, run: &Measured, draw: &mut Draw<'_>) -> Vec<Difference> {
    FIGURES
        .into_iter()
        .map(|(name, more_is_better, figure)| {
            let of =
                |measured: &Measured| -> Vec<f64> { measured.seconds.iter().filter_map(figure).collect() };
            difference(name, more_is_better, &of(baseline), &of(run), draw)
        })
        .collect()
}

fn difference(
    figure: &'static str,
    more_is_better: bool,
    baseline: &[f64],
    run: &[f64],
    draw: &mut Draw<'_>,
) -> Difference {
    // Errors are rare: their median would always be zero.
    let average = if figure.starts_with("failed") {
        mean
    } else {
        median
    };
    let enough = baseline.len() >= FEWEST && run.len() >= FEWEST;
    let (before, after) = (average(baseline), average(run));
    let change = if enough {
        bounds(baseline, run, average, draw)
    } else {
        None
    };
    let judgement = match change {
        None => Judgement::Unknown,
        Some((low, _)) if low > NOTICED => better(more_is_better),
        Some((_, high)) if high < -NOTICED => better(!more_is_better),
        Some(_) => Judgement::Same,
    };
    Difference {
        figure,
        baseline: before,
        run: after,
        change,
        judgement,
    }
}

fn better(is: bool) -> Judgement {
    if is { Judgement::Better } else { Judgement::Worse }
}

/// Bounds of the change between drawn seconds, as shares of the earlier figure (of one unit where that is zero).
fn bounds(
    baseline: &[f64],
    run: &[f64],
    average: fn(&[f64]) -> Option<f64>,
    draw: &mut Draw<'_>,
) -> Option<(f64, f64)> {
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

fn drawn(values: &[f64], draw: &mut Draw<'_>) -> Vec<f64> {
    (0..values.len())
        .filter_map(|_| values.get(draw(values.len())).copied())
        .collect()
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
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::loadtest::judge::testing::{measured, requests};

    /// A minute in which latencies tremble by a tenth around `p95` milliseconds, and every tenth second is far off.
    fn run(p95: f64, failed: u64) -> Measured {
        let mut run = measured(requests(100, 0));
        let noise = [0.9, 1.0, 1.1, 0.95, 1.05, 1.0, 0.9, 1.1, 1.0, 4.0];
        run.seconds = (0..60)
            .zip(noise.into_iter().cycle())
            .map(|(at, noise)| {
                let latency = Duration::from_secs_f64(p95 * noise / 1e3);
                Second {
                    at,
                    due: 100,
                    answered: 100 - failed,
                    failed,
                    latency: Some(Quantiles {
                        p50: latency / 2,
                        p95: latency,
                        p99: latency * 2,
                        ..Quantiles::default()
                    }),
                    ..Second::default()
                }
            })
            .collect();
        run
    }

    fn compared(baseline: &Measured, run: &Measured) -> Vec<Difference> {
        let mut random = fastrand::Rng::with_seed(7);
        compare(baseline, run, &mut |below| random.usize(..below))
    }

    fn judged(baseline: &Measured, run: &Measured) -> Vec<Judgement> {
        compared(baseline, run)
            .iter()
            .map(|difference| difference.judgement)
            .collect()
    }

    #[test]
    fn noise_is_no_difference_and_what_is_more_is_one_in_both_directions() {
        use Judgement::{Better, Same, Worse};
        assert_eq!(judged(&run(100.0, 0), &run(100.0, 0)), [Same; 5]);
        assert_eq!(judged(&run(100.0, 0), &run(103.0, 0)), [Same; 5]);
        let slower = judged(&run(100.0, 0), &run(150.0, 0));
        assert_eq!(slower, [Same, Worse, Worse, Worse, Same]);
        let faster = judged(&run(150.0, 0), &run(100.0, 0));
        assert_eq!(faster, [Same, Better, Better, Better, Same]);
        let failing = judged(&run(100.0, 0), &run(100.0, 20));
        assert_eq!(failing, [Worse, Same, Same, Same, Worse]);
    }

    #[test]
    fn what_one_run_did_not_measure_is_unknown_not_better() {
        let mut silent = run(100.0, 0);
        for second in &mut silent.seconds {
            second.latency = None;
        }
        let found = compared(&run(100.0, 0), &silent);
        assert_eq!(found[2].judgement, Judgement::Unknown);
        assert_eq!((found[2].run, found[2].change), (None, None));
        let mut short = run(100.0, 0);
        short.seconds.truncate(4);
        assert_eq!(judged(&short, &run(900.0, 0)), [Judgement::Unknown; 5]);
    }
}
