//! Puts the seconds of a run into buckets, so that the page of a long run stays small. No bad second
//! disappears: rates keep their lowest and highest second, latencies and failures their worst one.

use crate::model::{
    latencies::Quantiles,
    measured::{Second, ratio},
};

/// Most buckets on a page.
const MOST: u32 = 240;

/// How the time of a page is divided into buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// Length of a bucket, in seconds.
    pub(super) width: u32,
    /// Number of buckets.
    pub(super) count: u32,
}

/// The values of a figure in the seconds of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spread {
    /// Lowest value of a second.
    pub(super) low: f64,
    /// Mean of the seconds.
    pub(super) mean: f64,
    /// Highest value of a second.
    pub(super) high: f64,
}

/// The figures of one bucket.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bucket {
    /// Beginning of the bucket, in seconds of the run.
    pub(super) at: f64,
    /// Requests due per second.
    pub(super) due: Spread,
    /// Requests answered per second.
    pub(super) answered: Spread,
    /// Requests failed per second.
    pub(super) failed: Spread,
    /// The highest value of each quantile in any second; `None` without an answer.
    pub(super) latency: Option<Quantiles>,
    /// Most users, or requests in flight.
    pub(super) concurrency: u64,
    /// Most WebSocket connections that were held.
    pub(super) websockets: u64,
}

impl Grid {
    /// The grid for this many seconds. Example: 1 h has 240 buckets of 15 s.
    pub(super) fn of(length: f64) -> Self {
        const WIDTHS: [u32; 13] = [1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1800];
        let length = if length.is_finite() { length } else { 0.0 };
        let fits = |width: &u32| length / f64::from(*width) <= f64::from(MOST);
        let width = WIDTHS.into_iter().find(fits).unwrap_or_else(|| {
            // Runs of more than five days have buckets of whole hours.
            let hours = (length / f64::from(MOST) / 3600.0).ceil();
            whole(hours).max(1).saturating_mul(3600)
        });
        Self {
            width,
            count: whole((length / f64::from(width)).ceil()).clamp(1, MOST),
        }
    }

    /// Length of all buckets together, in seconds.
    pub(super) fn length(self) -> f64 {
        f64::from(self.width) * f64::from(self.count)
    }

    /// Index of the bucket that a moment is in.
    pub(super) fn index(self, at: f64) -> usize {
        let index = whole((at / f64::from(self.width)).floor()).min(self.count.saturating_sub(1));
        usize::try_from(index).unwrap_or(0)
    }

    /// The seconds as buckets, in order of time. Buckets without a measured second are left out.
    pub(super) fn buckets(self, seconds: &[Second]) -> Vec<Bucket> {
        let width = usize::try_from(self.width).unwrap_or(1).max(1);
        seconds.chunks(width).filter_map(bucket).collect()
    }

    /// Reduces a curve to at most three points for each bucket: its lowest, its highest and its last. They
    /// stay in order of time.
    pub(super) fn thinned(self, course: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let few = usize::try_from(self.count).unwrap_or(0) * 2;
        if course.len() <= few {
            return course.to_vec();
        }
        let mut kept = Vec::new();
        for bucket in course.chunk_by(|one, other| self.index(one.0) == self.index(other.0)) {
            let value = |(_, point): &(usize, &(f64, f64))| point.1;
            let order = |one: &_, other: &_| value(one).total_cmp(&value(other));
            let numbered = || bucket.iter().enumerate();
            let mut picked: Vec<(usize, &(f64, f64))> = [
                numbered().min_by(order),
                numbered().max_by(order),
                numbered().next_back(),
            ]
            .into_iter()
            .flatten()
            .collect();
            picked.sort_by_key(|(number, _)| *number);
            // One point may be the lowest, the highest and the last one at once.
            picked.dedup_by_key(|(number, _)| *number);
            kept.extend(picked.into_iter().map(|(_, point)| *point));
        }
        kept
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cut off at zero and at the most"
)]
fn whole(value: f64) -> u32 {
    value.clamp(0.0, f64::from(u32::MAX)) as u32
}

fn bucket(seconds: &[Second]) -> Option<Bucket> {
    let first = seconds.first()?;
    Some(Bucket {
        at: f64::from(first.at),
        due: spread(seconds, |second| second.due),
        answered: spread(seconds, |second| second.answered),
        failed: spread(seconds, |second| second.failed),
        latency: seconds
            .iter()
            .filter_map(|second| second.latency)
            .reduce(Quantiles::worse),
        concurrency: seconds.iter().map(|second| second.concurrency).max()?,
        websockets: seconds.iter().map(|second| second.websockets).max()?,
    })
}

fn spread(seconds: &[Second], of: impl Fn(&Second) -> u64) -> Spread {
    let values = || seconds.iter().map(&of);
    let count = u64::try_from(seconds.len()).unwrap_or(u64::MAX).max(1);
    Spread {
        low: ratio(values().min().unwrap_or(0), 1),
        mean: ratio(values().fold(0, u64::saturating_add), count),
        high: ratio(values().max().unwrap_or(0), 1),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn second(at: u32, due: u64, p95: Option<u64>) -> Second {
        Second {
            at,
            due,
            latency: p95.map(|p95| Quantiles {
                p95: Duration::from_millis(p95),
                ..Quantiles::default()
            }),
            ..Second::default()
        }
    }

    #[test]
    fn any_length_has_at_most_so_many_buckets_that_cover_it() {
        for length in [
            0.0,
            0.5,
            240.0,
            241.0,
            1800.0,
            5400.0,
            86400.0,
            1e7,
            1e12,
            f64::NAN,
        ] {
            let grid = Grid::of(length);
            assert!((1..=MOST).contains(&grid.count), "{length}: {grid:?}");
            assert!(
                grid.length() >= length || length > 1e11 || length.is_nan(),
                "{length}: {grid:?}"
            );
        }
        assert_eq!(Grid::of(240.0), Grid { width: 1, count: 240 });
        assert_eq!(
            Grid::of(1800.0),
            Grid {
                width: 10,
                count: 180
            }
        );
    }

    #[test]
    fn a_bucket_keeps_the_lowest_the_highest_and_the_worst_second() {
        let grid = Grid { width: 3, count: 2 };
        let seconds = [
            second(0, 10, Some(5)),
            second(1, 0, None),
            second(2, 5, Some(900)),
            second(3, 7, None),
        ];
        let buckets = grid.buckets(&seconds);
        let due = |low, mean, high| Spread { low, mean, high };
        assert_eq!(
            (buckets[0].due, buckets[1].due),
            (due(0.0, 5.0, 10.0), due(7.0, 7.0, 7.0))
        );
        assert_eq!(
            buckets[0].latency.map(|latency| latency.p95.as_millis()),
            Some(900)
        );
        assert_eq!((buckets[1].at, buckets[1].latency), (3.0, None));
    }

    #[test]
    fn a_thinned_course_keeps_its_peaks_and_its_end() {
        let grid = Grid { width: 10, count: 2 };
        let course: Vec<(f64, f64)> = (0..20_u32)
            .map(|at| {
                (
                    f64::from(at),
                    if at == 4 { 9.0 } else { 1.0 + f64::from(at) / 100.0 },
                )
            })
            .collect();
        let thinned = grid.thinned(&course);
        assert!(thinned.len() <= 6 && thinned.contains(&(4.0, 9.0)), "{thinned:?}");
        assert!(thinned.is_sorted_by(|one, other| one.0 < other.0));
        assert_eq!(thinned.last(), course.last());
        assert_eq!(grid.thinned(&course[..4]), course[..4]);
    }
}
