//! The time axis of a run. The load engine and the watch of the cluster share it.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::model::scaling::Moment;

/// The time axis of a run: seconds since its load began.
#[derive(Clone, Copy, Debug)]
pub struct RunClock {
    zero: Instant,
    timestamp: Timestamp,
}

impl RunClock {
    /// The axis of a load that begins after `delay`. Moments before the load begins are negative.
    #[expect(
        clippy::disallowed_methods,
        reason = "a run's time axis begins at a real moment"
    )]
    pub fn begins_in(delay: Duration) -> Self {
        Self {
            zero: Instant::now() + delay,
            timestamp: later(Timestamp::now(), delay),
        }
    }

    /// The instant at which the load begins.
    pub fn zero(&self) -> Instant {
        self.zero
    }

    /// The time of day at which the load begins.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The time of day now; that at which the load begins, before it begins.
    pub fn time_of_day(&self) -> Timestamp {
        later(self.timestamp, self.elapsed())
    }

    /// Seconds since the load began; negative before it begins.
    #[expect(clippy::disallowed_methods, reason = "the one look at the clock")]
    pub fn now(&self) -> Moment {
        let now = Instant::now();
        now.saturating_duration_since(self.zero).as_secs_f64()
            - self.zero.saturating_duration_since(now).as_secs_f64()
    }

    /// Time since the load began; zero before it begins.
    pub fn elapsed(&self) -> Duration {
        self.zero.elapsed()
    }

    /// The moment of a time of day, such as the creation time that an object carries.
    pub fn moment(&self, timestamp: Timestamp) -> Moment {
        timestamp.duration_since(self.timestamp).as_secs_f64()
    }
}

fn later(timestamp: Timestamp, by: Duration) -> Timestamp {
    let by = jiff::SignedDuration::try_from(by).unwrap_or_default();
    timestamp.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_before_the_load_are_negative() {
        let clock = RunClock::begins_in(Duration::from_secs(3600));
        assert!((-3600.0..-3590.0).contains(&clock.now()), "{}", clock.now());
        let later = clock.timestamp() + jiff::SignedDuration::from_secs(90);
        assert!((clock.moment(later) - 90.0).abs() < 1e-6);
        assert_eq!(clock.time_of_day(), clock.timestamp());
    }
}
