//! The demo's one time axis: seconds since it began.

use jiff::Timestamp;

use crate::oracle::Moment;

/// The moment at which the time axis begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    zero: Timestamp,
}

impl Clock {
    /// An axis that begins now, on a whole second, as the times of range queries are.
    pub(crate) fn start() -> Self {
        let zero = Timestamp::from_second(Timestamp::now().as_second()).expect("a second of today");
        Self { zero }
    }

    /// The current moment.
    pub(crate) fn now(self) -> Moment {
        self.of(Timestamp::now())
    }

    /// The moment of a timestamp.
    pub(crate) fn of(self, time: Timestamp) -> Moment {
        time.duration_since(self.zero).as_secs_f64()
    }

    /// Seconds since the Unix epoch at a moment.
    pub(crate) fn epoch(self, moment: Moment) -> f64 {
        Timestamp::UNIX_EPOCH.duration_until(self.zero).as_secs_f64() + moment
    }

    /// The moment of a Unix time in seconds.
    pub(crate) fn of_epoch(self, seconds: f64) -> Moment {
        seconds - self.epoch(0.0)
    }
}
