//! The clocks of the process. All time comes from here, so that the rest can be given another.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the place where clocks are read"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// Now, for durations.
pub fn now() -> Instant {
    Instant::now()
}

/// Time since 1970, for what others are told.
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A new identifier, greater than those of earlier milliseconds (UUID version 7).
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
