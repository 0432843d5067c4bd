//! How far apart the samples behind a rate are: the scrape interval of the targets, or the interval of
//! whatever else writes the samples.
//!
//! The polls show it, because each answer has the time of each pod's newest sample. So it costs no further
//! query, whatever the number of resources, and it works with every server that has Prometheus' query API.
//! (`/api/v1/targets` knows the interval too, but Thanos, Mimir and VictoriaMetrics do not list the targets
//! of other servers.)
//!
//! Two successive newest samples of a pod are one or more intervals apart, never less. So the smallest
//! distance of the last minutes counts, and a missed scrape does not raise it. An example: with scrapes every
//! 30 s and polls every 5 s, the distances of a pod are 30, 30, 60 (one scrape was missed) and 30 s, and the
//! interval is 30 s. Where samples are closer together than polls, polls cannot tell how close, and there is
//! no result.

use std::{collections::BTreeMap, time::Duration};

use crate::metrics::promql::{Answer, Point};

/// Length of a period. The smallest distance of the present period and of the one before it counts, so that a
/// longer interval is noticed after two periods at most.
const PERIOD: Duration = Duration::from_mins(10);
/// Number of answers with a new sample that are needed for a result.
const ENOUGH: u32 = 3;

/// The distance between the samples of a shape, by namespace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spacing(BTreeMap<String, Smallest>);

/// The smallest distances of one namespace.
#[derive(Clone, Debug, Default, PartialEq)]
struct Smallest {
    /// When the present period began, on our monotonic clock.
    began: Duration,
    /// Smallest distance of the present period.
    now: Option<Distance>,
    /// Smallest distance of the period before.
    before: Option<Distance>,
    /// Number of answers with a new sample.
    seen: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Distance {
    length: Duration,
    /// Whether it is longer than the time between the two polls, so that no sample lies unseen in between.
    exact: bool,
}

impl Spacing {
    /// Records a clean answer after the clean one `before`.
    pub fn observe(&mut self, before: &Answer, answer: &Answer) {
        let between_polls = answer.requested.saturating_sub(before.requested);
        for (namespace, points) in &answer.points {
            let Some(earlier) = before.points.get(namespace) else {
                continue;
            };
            // Pods of one namespace are usually scraped at one interval, so the smallest distance of all
            // counts.
            let lengths = points
                .entries()
                .filter_map(|(pod, point)| distance(earlier.get(pod)?, point));
            if let Some(length) = lengths.min() {
                let smallest = self
                    .0
                    .entry(namespace.clone())
                    .or_insert_with(|| Smallest::new(answer.requested));
                smallest.observe(Distance {
                    length,
                    exact: length > between_polls,
                });
            }
        }
        for smallest in self.0.values_mut() {
            smallest.roll(answer.requested);
        }
        // A namespace without a new sample for two periods is forgotten.
        self.0
            .retain(|_, smallest| smallest.now.is_some() || smallest.before.is_some());
    }

    /// The interval between the samples of a namespace, rounded to a tenth of a second; `None` while it is
    /// not known.
    #[must_use]
    pub fn interval(&self, namespace: &str) -> Option<Duration> {
        let smallest = self.0.get(namespace)?;
        if smallest.seen < ENOUGH {
            return None;
        }
        // The smaller of the two counts, whether or not it is exact: a smaller one that is not exact shows
        // that the other skipped samples.
        let distance = match (smallest.before, smallest.now) {
            (Some(before), Some(now)) if before.length < now.length => before,
            (before, now) => now.or(before)?,
        };
        let tenths = u64::try_from((distance.length.as_millis() + 50) / 100).ok()?;
        distance.exact.then(|| Duration::from_millis(tenths * 100))
    }
}

impl Smallest {
    fn new(began: Duration) -> Self {
        Self {
            began,
            ..Self::default()
        }
    }

    fn observe(&mut self, distance: Distance) {
        self.seen = self.seen.saturating_add(1);
        if self.now.is_none_or(|now| distance.length < now.length) {
            self.now = Some(distance);
        }
    }

    /// Begins a new period where the present one is over.
    fn roll(&mut self, now: Duration) {
        if now.saturating_sub(self.began) >= PERIOD {
            self.before = self.now.take();
            self.began = now;
        }
    }
}

/// The time from one newest sample to the next; `None` where the newest sample is still the same.
fn distance(earlier: &Point, later: &Point) -> Option<Duration> {
    let (earlier, later) = (earlier.sampled?, later.sampled?);
    Duration::try_from(later.at.duration_since(earlier.at))
        .ok()
        .filter(|distance| !distance.is_zero())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::metrics::promql::SampleTime;

    /// The answer at `millis` of a Prometheus that scrapes the pods of namespace `a` every `interval`, each
    /// pod at an offset of its own.
    fn answer(millis: u64, interval: u64, offsets: &[u64]) -> Answer {
        let pods = (0..).zip(offsets).filter_map(|(pod, offset)| {
            let newest = millis.checked_sub(*offset)? / interval * interval + offset;
            let sampled = SampleTime {
                at: Timestamp::from_millisecond(i64::try_from(newest).unwrap()).unwrap(),
                age: Duration::from_millis(millis - newest),
            };
            let point = Point {
                value: Some(1.0),
                sampled: Some(sampled),
                uncovered: None,
            };
            Some((format!("p{pod}"), point))
        });
        Answer {
            requested: Duration::from_millis(millis),
            points: BTreeMap::from([("a".to_owned(), pods.collect())]),
            ..Answer::default()
        }
    }

    /// The interval seen in seconds, when polled every `poll` milliseconds, more or less, up to `until`.
    fn seen(interval: u64, poll: u64, until: u64) -> Option<f64> {
        let (mut spacing, mut before) = (Spacing::default(), None);
        let (mut now, mut round) = (100_000, 0);
        while now < 100_000 + until {
            let next = answer(now, interval, &[0, interval / 3, interval / 2]);
            if let Some(before) = &before {
                spacing.observe(before, &next);
            }
            before = Some(next);
            round += 1;
            // Jitter of up to a tenth.
            now += poll + (round * 7919) % (poll / 10);
        }
        spacing.interval("a").map(|interval| interval.as_secs_f64())
    }

    #[test]
    fn an_interval_longer_than_the_time_between_polls_is_seen_as_it_is() {
        for interval in [15_000, 30_000, 60_000] {
            let expected = Duration::from_millis(interval).as_secs_f64();
            assert_eq!(seen(interval, 5000, 300_000), Some(expected));
        }
    }

    #[test]
    fn nothing_is_said_of_samples_closer_together_than_polls() {
        for interval in [500, 1000, 2500, 3000, 4000] {
            assert_eq!(seen(interval, 5000, 300_000), None, "{interval} ms");
        }
    }

    #[test]
    fn nothing_is_said_after_one_or_two_samples() {
        assert_eq!(seen(60_000, 5000, 50_000), None);
    }

    #[test]
    fn a_missed_scrape_does_not_count_and_a_changed_interval_does_after_a_while() {
        let mut spacing = Spacing::default();
        let mut last = answer(0, 30_000, &[0]);
        let mut observe = |spacing: &mut Spacing, second: u64, interval: u64| {
            let next = answer(second * 1000, interval, &[0]);
            spacing.observe(&last, &next);
            last = next;
        };
        for second in (5..300).step_by(5).filter(|second| !(120..155).contains(second)) {
            observe(&mut spacing, second, 30_000);
        }
        assert_eq!(spacing.interval("a"), Some(Duration::from_secs(30)));
        for second in (300..2000).step_by(5) {
            observe(&mut spacing, second, 60_000);
        }
        assert_eq!(spacing.interval("a"), Some(Duration::from_secs(60)));
    }

    #[test]
    fn a_namespace_without_samples_is_forgotten() {
        let mut spacing = Spacing::default();
        let mut last = answer(0, 30_000, &[0]);
        for second in (5..300).step_by(5) {
            let next = answer(second * 1000, 30_000, &[0]);
            spacing.observe(&last, &next);
            last = next;
        }
        for second in (300..3000).step_by(5) {
            let next = Answer {
                requested: Duration::from_secs(second),
                ..Answer::default()
            };
            spacing.observe(&last, &next);
            last = next;
        }
        assert_eq!(spacing, Spacing::default());
    }
}
