//! What happened in one second, by step and in fixed histogram buckets. It is for those who watch a run while
//! it goes on, such as Prometheus.
//!
//! A sending thread only counts here, and hands the counts on together with their second. Reports and
//! verdicts use the exact histograms, never these buckets.

use std::{collections::BTreeMap, time::Duration};

use crate::{http::Failure, model::cause};

/// The number of a step: its index in the list of step names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StepId(pub(super) usize);

/// Upper bounds of the buckets, in microseconds. One more bucket counts what is above the last bound.
pub(crate) const BOUNDS: [u64; 14] = [
    100, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];

/// A histogram: the number of durations in each bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    counts: [u64; BOUNDS.len()],
    above: u64,
    sum: Duration,
}

impl Buckets {
    /// Counts a duration.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        // A bound belongs to its own bucket, as `le` of Prometheus says: 500 us fall into the bucket up to
        // 500. Behind the last bound there is no bucket, and `above` counts.
        let place = BOUNDS.partition_point(|bound| *bound < micros);
        *self.counts.get_mut(place).unwrap_or(&mut self.above) += 1;
        self.sum = self.sum.saturating_add(duration);
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.above += other.above;
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// The number of durations.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.above
    }

    /// The sum of all durations.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// Each bucket as its upper bound in seconds and its count. Counts are not cumulative; the last bound is
    /// infinite.
    pub fn each(&self) -> impl Iterator<Item = (f64, u64)> {
        let seconds = |micros| Duration::from_micros(micros).as_secs_f64();
        let bounds = BOUNDS.into_iter().map(seconds).chain([f64::INFINITY]);
        bounds.zip(self.counts.into_iter().chain([self.above]))
    }
}

/// What happened to the requests of one step in one second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepDetail {
    /// Requests that became due.
    pub due: u64,
    /// Requests whose answer was as the scenario expects.
    pub answered: u64,
    /// Requests that were sent a second time, because the server ended the connection or refused the stream
    /// without an answer.
    pub retried: u64,
    /// Failed requests by cause. A WebSocket that was lost after it counted as answered counts here too.
    pub failures: BTreeMap<Failure, u64>,
    /// Latency of the answered requests, from the moment they were due.
    pub latency: Buckets,
    /// Latency of the requests that failed after they were sent.
    pub failed_latency: Buckets,
}

/// What happened in one second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Details by the number of the step.
    pub steps: Vec<StepDetail>,
    /// How much later than due requests were sent.
    pub schedule_error: Buckets,
}

impl Detail {
    /// A second of this many steps, in which nothing has happened yet.
    pub(super) fn of(steps: usize) -> Self {
        Self {
            steps: vec![StepDetail::default(); steps],
            schedule_error: Buckets::default(),
        }
    }

    /// Requests of all steps that became due.
    pub(super) fn due(&self) -> u64 {
        self.steps.iter().map(|step| step.due).sum()
    }

    /// Requests of all steps whose answer was as the scenario expects.
    pub(super) fn answered(&self) -> u64 {
        self.steps.iter().map(|step| step.answered).sum()
    }

    /// Requests of all steps that were sent twice.
    pub(super) fn retried(&self) -> u64 {
        self.steps.iter().map(|step| step.retried).sum()
    }

    /// Requests of all steps that failed.
    pub(super) fn failed(&self) -> u64 {
        self.steps.iter().flat_map(|step| step.failures.values()).sum()
    }

    pub(super) fn step(&mut self, step: StepId) -> Option<&mut StepDetail> {
        self.steps.get_mut(step.0)
    }

    /// Adds the same second of another thread.
    pub(super) fn merge(&mut self, other: Self) {
        self.schedule_error.merge(&other.schedule_error);
        // A default detail has no steps; it takes on the steps of the first one that is merged into it.
        if self.steps.len() < other.steps.len() {
            self.steps.resize_with(other.steps.len(), StepDetail::default);
        }
        for (step, more) in self.steps.iter_mut().zip(other.steps) {
            step.due += more.due;
            step.answered += more.answered;
            step.retried += more.retried;
            step.latency.merge(&more.latency);
            step.failed_latency.merge(&more.failed_latency);
            for (failure, count) in more.failures {
                cause::count(&mut step.failures, failure, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_the_first_bucket_that_holds_it() {
        let mut buckets = Buckets::default();
        for micros in [0, 100, 101, 10_000_000, 10_000_001] {
            buckets.record(Duration::from_micros(micros));
        }
        let filled: Vec<(f64, u64)> = buckets.each().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(0.0001, 2), (0.0005, 1), (10.0, 1), (f64::INFINITY, 1)]);
        assert_eq!((buckets.count(), buckets.each().count()), (5, BOUNDS.len() + 1));
    }

    #[test]
    fn threads_add_up_also_the_first_one() {
        let mut one = Detail::of(2);
        if let Some(step) = one.step(StepId(1)) {
            step.answered = 3;
            step.failures.insert(Failure::Status(503), 2);
            step.latency.record(Duration::from_millis(7));
        }
        let mut all = Detail::default();
        all.merge(one.clone());
        all.merge(one);
        assert_eq!(all.steps.len(), 2);
        assert_eq!(all.steps[1].answered, 6);
        assert_eq!(all.steps[1].failures, BTreeMap::from([(Failure::Status(503), 4)]));
        assert_eq!(all.steps[1].latency.sum(), Duration::from_millis(14));
    }
}
