//! Whether latency grows over a run: the Theil-Sen slope of the p95 of each second. Outliers hardly move this
//! slope. Its bounds contain the true slope with 95 % confidence.
//!
//! Sources: Theil (1950), Sen, "Estimates of the regression coefficient based on Kendall's tau" (1968). The
//! slope is the median of the slopes of all pairs of points. Its bounds are the slopes whose ranks lie
//! `z * sqrt(n(n-1)(2n+5)/18)` apart.
//!
//! Example: 300 points have 44,850 pairs, so the median is at rank 22,425. The ranks of the bounds lie 3,403
//! apart: they are 20,723 and 24,126.

use crate::model::measured::Second;

/// With fewer points no trend is computed.
const FEWEST: usize = 30;
/// Most points whose pairs are compared. A longer run is cut into this many stretches, each replaced by its
/// median.
const MOST: usize = 300;
/// Quantile of the normal distribution for 95 %, two-sided.
const Z: f64 = 1.96;
const HOUR: f64 = 3600.0;

/// Growth per hour as a share of the median latency of the run: 0.1 is 10 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Most likely growth.
    pub growth: f64,
    /// Lower bound of the growth.
    pub low: f64,
    /// Upper bound of the growth.
    pub high: f64,
}

impl Trend {
    /// The trend of the p95 latency; `None` where too few seconds have one.
    pub fn of(seconds: &[Second]) -> Option<Self> {
        let points: Vec<(f64, f64)> = seconds
            .iter()
            .filter_map(|second| Some((f64::from(second.at), second.latency?.p95.as_secs_f64())))
            .collect();
        Self::through(&points)
    }

    /// The trend of points in order of time (in seconds). `None` with too few points, or where their median
    /// is not above zero.
    pub fn through(points: &[(f64, f64)]) -> Option<Self> {
        let points = thinned(points);
        if points.len() < FEWEST {
            return None;
        }
        let mut slopes = Vec::new();
        for (index, (x, y)) in points.iter().enumerate() {
            for (later_x, later_y) in points.iter().skip(index + 1) {
                slopes.push((later_y - y) / (later_x - x));
            }
        }
        slopes.sort_by(f64::total_cmp);
        let mut levels: Vec<f64> = points.iter().map(|(_, y)| *y).collect();
        levels.sort_by(f64::total_cmp);
        let level = *levels.get(levels.len() / 2)?;
        let (pairs, count) = (float(slopes.len()), float(points.len()));
        let spread = Z * (count * (count - 1.0) * (2.0 * count + 5.0) / 18.0).sqrt();
        // Slopes are sorted, so a rank is an index.
        let growth = |rank: f64| {
            let slope = slopes.get(index(rank).min(slopes.len() - 1))?;
            Some(slope * HOUR / level)
        };
        (level > 0.0).then_some(Self {
            growth: growth(pairs / 2.0)?,
            low: growth((pairs - spread) / 2.0)?,
            high: growth(f64::midpoint(pairs, spread))?,
        })
    }
}

/// At most [`MOST`] points: the medians of stretches of equal length.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let length = points.len().div_ceil(MOST).max(1);
    let median = |stretch: &[(f64, f64)]| {
        let mut sorted = stretch.to_vec();
        sorted.sort_by(|one, other| one.1.total_cmp(&other.1));
        let (_, y) = sorted.get(sorted.len() / 2)?;
        // The stretch stands at the time of its middle point, whichever point has the median.
        let (x, _) = stretch.get(stretch.len() / 2)?;
        Some((*x, *y))
    };
    points.chunks(length).filter_map(median).collect()
}

#[expect(clippy::cast_precision_loss, reason = "some thousands of pairs")]
fn float(count: usize) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cut off at zero; the caller bounds it from above"
)]
fn index(rank: f64) -> usize {
    rank.max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::latencies::Quantiles;

    /// Seconds whose p95 is `level` of the second, with some noise that repeats.
    fn run(length: u32, level: impl Fn(f64) -> f64) -> Vec<Second> {
        let noise = [0.9, 1.1, 1.0, 1.05, 0.95, 3.0, 1.0];
        (0..length)
            .zip(noise.into_iter().cycle())
            .map(|(at, noise)| Second {
                at,
                latency: Some(Quantiles {
                    p95: Duration::from_secs_f64(level(f64::from(at)) * noise),
                    ..Quantiles::default()
                }),
                ..Second::default()
            })
            .collect()
    }

    #[test]
    fn a_latency_that_grows_is_told_from_one_that_only_trembles() {
        let flat = Trend::of(&run(600, |_| 0.1)).unwrap();
        assert!(flat.low <= 0.0 && flat.high >= 0.0, "{flat:?}");
        assert!(flat.growth.abs() < 0.2, "{flat:?}");
        // Growth of 20 % per hour, relative to the level in the middle of the run.
        let grows = Trend::of(&run(3600, |at| 0.1 * (0.9 + 0.2 * at / 3600.0))).unwrap();
        assert!((grows.growth - 0.2).abs() < 0.03, "{grows:?}");
        assert!(grows.low > 0.1 && grows.high < 0.3, "{grows:?}");
    }

    #[test]
    fn a_few_seconds_have_no_trend() {
        assert_eq!(Trend::of(&run(29, |_| 0.1)), None);
        let silent: Vec<Second> = (0..100)
            .map(|at| Second {
                at,
                ..Second::default()
            })
            .collect();
        assert_eq!(Trend::of(&silent), None);
    }
}
