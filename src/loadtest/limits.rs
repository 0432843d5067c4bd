//! Limits on the load that a test may send, against a number with a zero too many.

use std::time::Duration;

use super::scenario::{model::Scenario, rate::Profile};
use vas_core::k8s::duration;

/// The largest load that is sent.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Highest rate, in requests (journeys) per second.
    pub rate: f64,
    /// Most users at once.
    pub users: f64,
    /// Longest time in which requests are sent.
    pub duration: Duration,
}

/// Why a load is not sent.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// The peak is above a limit.
    #[error(
        "the scenario's peak is {peak:.0} {unit}, more than {flag} {limit:.0}; raise the flag if you mean it"
    )]
    TooMuch {
        /// Highest level of the load.
        peak: f64,
        /// Unit of the level.
        unit: &'static str,
        /// Name of the flag that sets the limit.
        flag: &'static str,
        /// Value of that flag.
        limit: f64,
    },
    /// The load takes too long.
    #[error("the scenario takes {}, more than --max-duration {}; raise the flag if you mean it", duration::format(*.0), duration::format(*.1))]
    TooLong(Duration, Duration),
}

impl Limits {
    /// Refuses a load that exceeds a limit.
    ///
    /// # Errors
    /// When the load is too high or takes too long.
    pub fn guard(&self, scenario: &Scenario) -> Result<(), LimitError> {
        let load = &scenario.load;
        for (profile, unit, flag, limit) in [
            (load.rates(), "journeys per second", "--max-rate", self.rate),
            (load.users(), "users", "--max-users", self.users),
        ] {
            let peak = profile.map_or(0.0, Profile::peak);
            if peak > limit {
                return Err(LimitError::TooMuch {
                    peak,
                    unit,
                    flag,
                    limit,
                });
            }
        }
        let duration = load.profile().duration();
        if duration > self.duration {
            return Err(LimitError::TooLong(duration, self.duration));
        }
        Ok(())
    }
}
