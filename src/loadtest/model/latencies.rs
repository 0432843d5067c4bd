//! Durations of many requests as an HDR histogram: in microseconds, exact to a thousandth, merged without
//! loss.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest duration that is recorded as it is: one hour, in microseconds. Longer ones count as one hour.
const LONGEST: u64 = 3_600_000_000;

/// Significant decimal digits that the histogram keeps of a value.
const DIGITS: u8 = 3;

/// Durations of many requests.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

/// The quantiles that are reported.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quantiles {
    /// 50 % of the requests took at most this long.
    pub p50: Duration,
    /// 90 % of the requests took at most this long.
    pub p90: Duration,
    /// 95 % of the requests took at most this long.
    pub p95: Duration,
    /// 99 % of the requests took at most this long.
    pub p99: Duration,
    /// 99.9 % of the requests took at most this long.
    pub p999: Duration,
    /// The longest request.
    pub max: Duration,
}

impl Quantiles {
    /// The larger one of each quantile. Quantiles of two runs cannot be merged exactly; the larger one is
    /// their upper bound.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self {
            p50: self.p50.max(other.p50),
            p90: self.p90.max(other.p90),
            p95: self.p95.max(other.p95),
            p99: self.p99.max(other.p99),
            p999: self.p999.max(other.p999),
            max: self.max.max(other.max),
        }
    }
}

impl Default for Latencies {
    #[expect(
        clippy::expect_used,
        reason = "more than five digits are refused, three never"
    )]
    fn default() -> Self {
        Self(Histogram::new(DIGITS).expect("three digits are accepted"))
    }
}

impl Latencies {
    /// Takes a histogram in microseconds, such as one read from a file.
    pub fn from_histogram(mut histogram: Histogram<u64>) -> Self {
        // A histogram read from a file does not resize by itself and would refuse longer durations of later
        // ones.
        histogram.auto(true);
        Self(histogram)
    }

    /// The histogram, in microseconds.
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }

    /// Records one request.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(LONGEST);
        // The histogram resizes by itself up to any value, so no value is refused.
        let _ = self.0.record(micros.min(LONGEST));
    }

    /// Adds all durations of `other`.
    pub fn merge(&mut self, other: &Self) {
        // A histogram that resizes by itself takes every value of another one.
        let _ = self.0.add(&other.0);
    }

    /// Removes all durations but keeps the memory for the next ones.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Number of requests.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Whether there is no request.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The duration that a share of the requests (0 to 1) did not exceed; `None` without requests.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_micros(self.0.value_at_quantile(share)))
    }

    /// The longest duration; `None` without requests.
    pub fn max(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_micros(self.0.max()))
    }

    /// The mean duration in seconds; `None` without requests.
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.0.mean() / 1e6)
    }

    /// Number of requests that took at most `bound`.
    pub fn within(&self, bound: Duration) -> u64 {
        let micros = u64::try_from(bound.as_micros()).unwrap_or(LONGEST);
        self.0.count_between(0, micros)
    }

    /// These durations without those of `part`, which must be a subset of them.
    #[must_use]
    pub fn without(&self, part: &Self) -> Self {
        let mut rest = self.clone();
        // `subtract` only fails if `part` is not a subset; then nothing is taken out.
        let _ = rest.0.subtract(&part.0);
        rest
    }

    /// All reported quantiles; `None` without requests.
    pub fn quantiles(&self) -> Option<Quantiles> {
        Some(Quantiles {
            p50: self.quantile(0.5)?,
            p90: self.quantile(0.9)?,
            p95: self.quantile(0.95)?,
            p99: self.quantile(0.99)?,
            p999: self.quantile(0.999)?,
            max: self.max()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut latencies = Latencies::default();
        for milliseconds in 1..=1000 {
            latencies.record(Duration::from_millis(milliseconds));
        }
        let quantiles = latencies.quantiles().unwrap();
        for (measured, exact) in [(quantiles.p50, 0.5), (quantiles.p99, 0.99), (quantiles.max, 1.0)] {
            assert!(
                (measured.as_secs_f64() / exact - 1.0).abs() < 0.002,
                "{measured:?}"
            );
        }
        let within = latencies.within(Duration::from_millis(250));
        assert!(within.abs_diff(250) <= 1, "{within}");
    }

    #[test]
    fn merging_is_as_if_all_had_been_recorded_together() {
        let (mut one, mut other, mut both) =
            (Latencies::default(), Latencies::default(), Latencies::default());
        for microseconds in [3, 70, 500_000, 90_000_000] {
            one.record(Duration::from_micros(microseconds));
            both.record(Duration::from_micros(microseconds));
        }
        other.record(Duration::from_secs(4000));
        both.record(Duration::from_secs(4000));
        one.merge(&other);
        assert_eq!(one.histogram(), both.histogram());
        assert_eq!(one.max().map(|max| max.as_secs().div_ceil(10)), Some(360));
    }

    #[test]
    fn without_requests_there_is_no_latency() {
        let latencies = Latencies::default();
        assert_eq!(latencies.quantiles(), None);
        assert_eq!(latencies.mean(), None);
        assert_eq!(latencies.within(Duration::MAX), 0);
    }

    #[test]
    fn a_part_can_be_taken_out_again() {
        let (mut all, mut part) = (Latencies::default(), Latencies::default());
        for microseconds in [3, 70, 500_000, 90_000_000] {
            all.record(Duration::from_micros(microseconds));
        }
        part.record(Duration::from_micros(500_000));
        let rest = all.without(&part);
        assert_eq!((rest.count(), rest.within(Duration::from_secs(1))), (3, 2));
    }
}
