//! Measures the rate of a counter.

use std::time::Duration;

use super::to_f64;

/// Seconds over which a rate is smoothed: longer than a step of the model, shorter than a scrape interval.
const SPAN: f64 = 2.0;

/// Follows a counter and knows its recent rate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    count: u64,
    rate: f64,
}

impl Meter {
    /// Tells the meter the new count, `elapsed` after the last one.
    pub(super) fn advance(&mut self, elapsed: Duration, count: u64) {
        let elapsed = elapsed.as_secs_f64();
        if elapsed <= 0.0 {
            return;
        }
        let rate = to_f64(count.saturating_sub(self.count)) / elapsed;
        self.rate += (rate - self.rate) * -(-elapsed / SPAN).exp_m1();
        self.count = count;
    }

    /// The smoothed rate per second.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_close_to_a_steady_rate_and_back_to_zero() {
        let mut meter = Meter::default();
        let step = Duration::from_millis(100);
        for number in 1..=100 {
            meter.advance(step, 5 * number);
        }
        assert!((meter.rate() - 50.0).abs() < 0.5, "{}", meter.rate());
        for _ in 0..100 {
            meter.advance(step, 500);
        }
        assert!(meter.rate() < 0.5, "{}", meter.rate());
    }
}
