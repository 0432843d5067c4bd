//! Response times of the last one to two minutes as quantiles, for the gauges that the report names.
//!
//! They are those of one process: the p95 of ten pods is not the mean of their p95, so boards use the histogram.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Buckets grow by a tenth each, from 0.1 ms: 140 of them reach to a minute, and a quantile is right to 5 %.
const BUCKETS: usize = 140;
const FIRST: f64 = 0.0001;
const GROWTH: f64 = 1.1;
const WINDOW: Duration = Duration::from_secs(60);

/// Response times of this minute and the one before.
#[derive(Debug)]
pub struct Quantiles(Mutex<Windows>);

#[derive(Debug)]
struct Windows {
    began: Instant,
    current: [u32; BUCKETS],
    before: [u32; BUCKETS],
}

impl Quantiles {
    /// None yet; `now` begins the first minute.
    pub fn new(now: Instant) -> Self {
        Self(Mutex::new(Windows {
            began: now,
            current: [0; BUCKETS],
            before: [0; BUCKETS],
        }))
    }

    /// Counts a response that took `time`.
    pub fn add(&self, time: Duration, now: Instant) {
        let mut windows = self.0.lock();
        windows.turn(now);
        if let Some(bucket) = windows.current.get_mut(bucket(time.as_secs_f64())) {
            *bucket = bucket.saturating_add(1);
        }
    }

    /// The quantile in seconds; nothing where there was no response.
    pub fn get(&self, quantile: f64, now: Instant) -> Option<f64> {
        let mut windows = self.0.lock();
        windows.turn(now);
        let counts = || {
            windows
                .current
                .iter()
                .zip(&windows.before)
                .map(|(a, b)| u64::from(*a) + u64::from(*b))
        };
        let all: u64 = counts().sum();
        if all == 0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of two minutes")]
        let wanted = all as f64 * quantile;
        let mut seen = 0.0;
        let mut upper = FIRST;
        for count in counts() {
            #[expect(clippy::cast_precision_loss, reason = "counts of two minutes")]
            let count = count as f64;
            seen += count;
            if seen >= wanted && count > 0.0 {
                break;
            }
            upper *= GROWTH;
        }
        Some(upper)
    }
}

impl Windows {
    fn turn(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.began);
        if passed < WINDOW {
            return;
        }
        self.before = if passed < 2 * WINDOW {
            self.current
        } else {
            [0; BUCKETS]
        };
        self.current = [0; BUCKETS];
        self.began = now;
    }
}

fn bucket(seconds: f64) -> usize {
    let number = (seconds / FIRST).max(1.0).ln() / GROWTH.ln();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 139")]
    let number = number.ceil().clamp(0.0, 139.0) as usize;
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_quantile_is_right_to_a_tenth() {
        let now = clock::now();
        let quantiles = Quantiles::new(now);
        assert_eq!(quantiles.get(0.5, now), None);
        for milliseconds in 1..=1000 {
            quantiles.add(Duration::from_millis(milliseconds), now);
        }
        for (quantile, seconds) in [(0.5, 0.5), (0.95, 0.95), (0.99, 0.99)] {
            let found = quantiles.get(quantile, now).unwrap();
            assert!(found >= seconds && found < seconds * 1.11, "{quantile}: {found}");
        }
    }

    #[test]
    fn what_is_two_minutes_old_is_forgotten() {
        let now = clock::now();
        let quantiles = Quantiles::new(now);
        quantiles.add(Duration::from_secs(1), now);
        assert!(quantiles.get(0.5, now + WINDOW).is_some());
        assert_eq!(quantiles.get(0.5, now + 3 * WINDOW), None);
    }
}
