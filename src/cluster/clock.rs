//! Time, injected: this is the only module that reads the machine's clocks.
//!
//! Code that needs the time takes a [`Clock`] (in the pure core, the time itself), so that tests can set the
//! time.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A source of wall-clock and monotonic time.
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock time, for timestamps that others read.
    fn now(&self) -> Timestamp;
    /// Time since an arbitrary fixed moment; for ages and deadlines. It never goes back, and it goes on while
    /// the process is stopped by a signal.
    fn monotonic(&self) -> Duration;
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts at zero now.
    #[expect(clippy::disallowed_methods, reason = "this is the injected clock")]
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the injected clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}
