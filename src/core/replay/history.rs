//! What metrics could have known: sums over time, to look back at.

use std::collections::VecDeque;

use super::{Millis, queue::Waiting, seconds};

/// What stood at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Entry {
    at: Millis,
    /// Requests that were served since the beginning.
    served: f64,
    /// Requests that a pod which was always Ready has served since the beginning.
    per_pod: f64,
    /// Requests that wait.
    backlog: f64,
    /// Seconds that the oldest of them has waited.
    wait: f64,
}

/// The last minutes, in pieces over which all rates stayed the same, so that between two entries each figure is on a
/// straight line.
#[derive(Clone, Debug)]
pub(super) struct History {
    entries: VecDeque<Entry>,
    /// How far anybody looks back.
    horizon: Millis,
    /// Since when there has been no gap.
    since: Millis,
}

impl History {
    /// Nothing is known before the moment 0.
    pub(super) fn of(horizon: Millis) -> Self {
        Self {
            entries: [Entry::default()].into(),
            horizon,
            since: 0,
        }
    }

    /// A piece that ends at this moment, in which so many Ready pods served requests.
    pub(super) fn add(&mut self, at: Millis, served: f64, ready: u32, waiting: Waiting) {
        let last = self.entries.back().copied().unwrap_or_default();
        let each = if ready == 0 {
            0.0
        } else {
            served / f64::from(ready)
        };
        self.entries.push_back(Entry {
            at,
            served: last.served + served,
            per_pod: last.per_pod + each,
            backlog: waiting.backlog,
            wait: waiting.wait,
        });
        // The entry before the horizon is one end of the line that crosses it.
        while self
            .entries
            .get(1)
            .is_some_and(|second| second.at <= at - self.horizon)
        {
            self.entries.pop_front();
        }
    }

    /// A piece that ends at this moment, of which nothing is known.
    pub(super) fn gap(&mut self, at: Millis) {
        self.add(at, 0.0, 0, Waiting::default());
        self.since = at;
    }

    /// Requests per second that all pods served between two moments; `None` where a part of it is not known.
    pub(super) fn rate(&self, from: Millis, to: Millis) -> Option<f64> {
        self.mean(from, to, |entry| entry.served)
    }

    /// The same of one pod that was Ready all the time.
    pub(super) fn rate_of_one(&self, from: Millis, to: Millis) -> Option<f64> {
        self.mean(from, to, |entry| entry.per_pod)
    }

    /// What waited at this moment; `None` where it is not known.
    pub(super) fn waiting(&self, at: Millis) -> Option<Waiting> {
        (at >= self.since).then_some(())?;
        Some(Waiting {
            backlog: self.at(at, |entry| entry.backlog)?,
            wait: self.at(at, |entry| entry.wait)?,
        })
    }

    fn mean(&self, from: Millis, to: Millis, of: fn(&Entry) -> f64) -> Option<f64> {
        (from >= self.since && from < to).then_some(())?;
        Some((self.at(to, of)? - self.at(from, of)?) / seconds(to - from))
    }

    /// A figure at a moment, on the line between the entries around it. Looked for from the end, because the moments
    /// that metrics look at are recent.
    fn at(&self, at: Millis, of: fn(&Entry) -> f64) -> Option<f64> {
        let mut later: Option<&Entry> = None;
        for entry in self.entries.iter().rev() {
            if entry.at <= at {
                let Some(later) = later.filter(|later| later.at > entry.at) else {
                    return (entry.at == at).then(|| of(entry));
                };
                let share = seconds(at - entry.at) / seconds(later.at - entry.at);
                return Some(of(entry) + (of(later) - of(entry)) * share);
            }
            later = Some(entry);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_over_its_window_and_none_over_a_gap() {
        let mut history = History::of(120_000);
        let waiting = |backlog| Waiting {
            backlog,
            wait: backlog / 10.0,
        };
        history.add(60_000, 600.0, 2, waiting(0.0));
        history.add(80_000, 800.0, 4, waiting(40.0));
        let near = |found: Option<f64>, expected: f64| {
            assert!((found.unwrap() - expected).abs() < 1e-9, "{found:?}");
        };
        near(history.rate(0, 60_000), 10.0);
        near(history.rate(30_000, 70_000), (300.0 + 400.0) / 40.0);
        // Per pod: 5 a second, then 10 a second.
        near(history.rate_of_one(30_000, 70_000), (150.0 + 100.0) / 40.0);
        assert_eq!(history.waiting(70_000), Some(waiting(20.0)));
        assert_eq!(history.rate(30_000, 80_001), None, "nobody knows the future");
        assert_eq!(history.rate(-1, 60_000), None, "nor what was before");
        history.gap(90_000);
        history.add(100_000, 50.0, 1, waiting(0.0));
        assert_eq!(history.rate(80_000, 100_000), None);
        assert_eq!(history.waiting(85_000), None);
        near(history.rate(90_000, 100_000), 5.0);
    }

    #[test]
    fn what_nobody_looks_back_at_is_forgotten() {
        let mut history = History::of(60_000);
        for second in 1..10_000 {
            history.add(second * 1000, 1.0, 1, Waiting::default());
        }
        assert!(history.entries.len() <= 63);
        assert!(history.rate(9_999_000 - 60_000, 9_999_000).is_some());
    }
}
