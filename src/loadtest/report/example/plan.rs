//! What the example run plans: its load, and what one replica carries.

use std::time::Duration;

use crate::scenario::rate::Profile;

/// Requests per second that one replica answers.
pub(crate) const EACH: f64 = 20.0;

/// The planned load: 600 s with a rise from 20 to 180 requests/s and back.
pub(crate) fn profile() -> Profile {
    let mut profile = Profile::default();
    for (from, to, seconds) in [
        (20.0, 20.0, 60),
        (20.0, 180.0, 20),
        (180.0, 180.0, 320),
        (180.0, 20.0, 10),
        (20.0, 20.0, 190),
    ] {
        profile.line(from, to, Duration::from_secs(seconds));
    }
    profile
}
