//! Gaps in the samples behind a rate.
//!
//! Prometheus divides the increase it has seen by the whole window. After it, or its scraping, was away, a
//! window holds samples for a part only, and the rate comes out low: a fifth of the load where a fifth of
//! the window is covered. That is missing data in disguise, so a rate counts again only once its whole
//! window lies after the gap. The same on the way in: while no sample comes, the window empties from its old
//! end and the rate sinks though the load does not.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use crate::core::promql::Answer;

/// What counts as a gap, between two samples or since the newest: this part of the window. Less is left to
/// the HPA's tolerance and stabilization: a single poll that failed must not hold every workload, nor may the
/// jitter of scrapes half a window apart, the longest interval that gives a rate at all.
const GAP: (u32, u32) = (3, 4);
/// A namespace without samples for this long is forgotten.
const FORGOTTEN: Duration = Duration::from_hours(24);

/// Whether a rate over `window` whose newest sample is so old is that of a window which empties.
pub(super) fn empties(window: Duration, age: Duration) -> bool {
    age > longest(window)
}

fn longest(window: Duration) -> Duration {
    window * GAP.0 / GAP.1
}

/// What is known of the samples of a shape, by namespace. All times are on Prometheus' clock. Not by pod: the
/// pods that a rollout made during a gap have no samples before it, and only their namespace tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gaps {
    newest: BTreeMap<String, Timestamp>,
    full_from: BTreeMap<String, Timestamp>,
}

impl Gaps {
    /// Takes in a clean answer to a shape that rates over `window`. `since_clean` is the time since the poll
    /// before it, if that was clean too: samples are never closer together here than polls are, and where
    /// both polls were clean, the time between them says nothing about the samples.
    pub fn observe(&mut self, window: Duration, since_clean: Option<Duration>, answer: &Answer) {
        let between_polls = since_clean.unwrap_or_default() * 3 / 2;
        let gap = between_polls.max(longest(window));
        for (namespace, points) in &answer.points {
            let sampled = points.values().filter_map(|point| point.sampled);
            let Some(newest) = sampled.map(|sampled| sampled.at).max() else {
                continue;
            };
            let before = self.newest.insert(namespace.clone(), newest);
            if before.is_some_and(|before| before + gap < newest) {
                self.full_from.insert(namespace.clone(), newest + window);
            }
        }
        if let Some(latest) = self.newest.values().copied().max() {
            self.newest.retain(|_, newest| *newest + FORGOTTEN > latest);
            self.full_from.retain(|_, full_from| *full_from > latest);
        }
    }

    /// Whether the window that ends at this sample reaches back into a gap.
    #[must_use]
    pub fn reach(&self, namespace: &str, sampled: Timestamp) -> bool {
        self.full_from
            .get(namespace)
            .is_some_and(|full_from| sampled < *full_from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::promql::{Point, SampleTime};

    const WINDOW: Duration = Duration::from_secs(60);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn answer(samples: &[(&str, &str, i64)]) -> Answer {
        let point = |second: i64| Point {
            value: Some(1.0),
            sampled: Some(SampleTime {
                at: at(second),
                age: Duration::ZERO,
            }),
        };
        let points: Vec<_> = samples
            .iter()
            .map(|(namespace, pod, second)| (*namespace, *pod, point(*second)))
            .collect();
        Answer::of(Duration::ZERO, &points)
    }

    fn observed(samples: &[(&str, &str, i64)]) -> Gaps {
        let mut gaps = Gaps::default();
        for sample in samples {
            gaps.observe(WINDOW, None, &answer(&[*sample]));
        }
        gaps
    }

    #[test]
    fn after_a_gap_a_whole_window_must_pass() {
        let gaps = observed(&[("a", "p", 0), ("a", "p", 5), ("a", "p", 100)]);
        assert!(gaps.reach("a", at(100)));
        assert!(gaps.reach("a", at(159)));
        assert!(!gaps.reach("a", at(160)));
    }

    #[test]
    fn scrapes_half_a_window_apart_are_no_gap_when_one_comes_late() {
        let gaps = observed(&[("a", "p", 0), ("a", "p", 30), ("a", "p", 61)]);
        assert!(!gaps.reach("a", at(61)));
    }

    #[test]
    fn polls_that_follow_each_other_and_one_that_failed_are_no_gap() {
        let gaps = observed(&[("a", "p", 0), ("a", "p", 5), ("a", "p", 15), ("a", "p", 45)]);
        assert!(!gaps.reach("a", at(45)));
    }

    #[test]
    fn polls_further_apart_than_the_window_are_no_gap_but_samples_that_stood_still_are() {
        let polled = |samples: &[i64]| {
            let mut gaps = Gaps::default();
            for sample in samples {
                gaps.observe(
                    WINDOW,
                    Some(Duration::from_secs(90)),
                    &answer(&[("a", "p", *sample)]),
                );
            }
            gaps
        };
        assert!(!polled(&[0, 90, 181]).reach("a", at(181)));
        assert!(polled(&[0, 0, 0, 300]).reach("a", at(300)));
    }

    #[test]
    fn the_first_answer_and_a_new_pod_are_no_gap() {
        let mut gaps = observed(&[("a", "p", 0)]);
        assert!(!gaps.reach("a", at(0)));
        gaps.observe(WINDOW, None, &answer(&[("a", "p", 5), ("a", "new", 5)]));
        assert!(!gaps.reach("a", at(5)));
    }

    #[test]
    fn one_namespace_without_samples_does_not_hold_another() {
        let mut gaps = observed(&[("a", "p", 0)]);
        gaps.observe(WINDOW, None, &answer(&[("a", "p", 100), ("b", "p", 100)]));
        assert!(gaps.reach("a", at(100)));
        assert!(!gaps.reach("b", at(100)));
    }

    #[test]
    fn a_gap_is_seen_although_answers_without_samples_came_between() {
        let mut gaps = observed(&[("a", "p", 0)]);
        gaps.observe(WINDOW, None, &Answer::default());
        gaps.observe(WINDOW, None, &answer(&[("a", "p", 100)]));
        assert!(gaps.reach("a", at(100)));
    }

    #[test]
    fn a_second_gap_starts_the_wait_again() {
        let gaps = observed(&[("a", "p", 0), ("a", "p", 100), ("a", "p", 150)]);
        assert!(gaps.reach("a", at(200)));
        assert!(!gaps.reach("a", at(210)));
    }
}
