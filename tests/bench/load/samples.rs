//! Figures of a stretch of load.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

use super::Outcome;

/// Latencies and failures.
#[derive(Clone, Debug)]
pub(crate) struct Samples {
    /// Latencies in microseconds of answered requests, and of those that were given up.
    latencies: Histogram<u64>,
    answered: u64,
    failures: BTreeMap<String, u64>,
    /// How long requests were sent.
    pub elapsed: Duration,
}

impl Default for Samples {
    fn default() -> Self {
        Self {
            // Up to one minute, exact to a thousandth of the value.
            latencies: Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds that hdrhistogram takes"),
            answered: 0,
            failures: BTreeMap::new(),
            elapsed: Duration::ZERO,
        }
    }
}

impl Samples {
    /// Adds one request. A request that was refused at once has no useful latency. One that was given up has:
    /// leaving it out would hide the slowest.
    pub(crate) fn record(&mut self, latency: Duration, outcome: Outcome) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        match outcome {
            Outcome::Answered => {
                self.answered += 1;
                self.latencies.saturating_record(micros);
            }
            Outcome::Failed(why) => *self.failures.entry(why).or_default() += 1,
            Outcome::Late => {
                *self.failures.entry("no answer in time".to_owned()).or_default() += 1;
                self.latencies.saturating_record(micros);
            }
        }
    }

    /// Adds another stretch of the same load.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.latencies += &other.latencies;
        self.answered += other.answered;
        for (why, count) in &other.failures {
            *self.failures.entry(why.clone()).or_default() += count;
        }
        self.elapsed += other.elapsed;
    }

    /// Requests that got 200.
    pub(crate) fn answered(&self) -> u64 {
        self.answered
    }

    /// Requests that got anything else, with why.
    pub(crate) fn failures(&self) -> &BTreeMap<String, u64> {
        &self.failures
    }

    /// Requests that were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.answered + self.failures.values().sum::<u64>()
    }

    /// Share of requests that did not get 200; zero when none were sent.
    pub(crate) fn failed_share(&self) -> f64 {
        ratio(self.sent() - self.answered, self.sent())
    }

    /// Answers per second.
    pub(crate) fn rate(&self) -> f64 {
        if self.elapsed.is_zero() {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
        let answered = self.answered as f64;
        answered / self.elapsed.as_secs_f64()
    }

    /// A percentile in milliseconds; `None` without a single latency.
    pub(crate) fn percentile(&self, percent: f64) -> Option<f64> {
        if self.latencies.is_empty() {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most a minute in microseconds")]
        let micros = self.latencies.value_at_percentile(percent) as f64;
        Some(micros / 1000.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
