//! Scales a scenario: in time, or in load.

use std::time::Duration;

use super::{
    duration, load,
    model::{Lane, Load, Scenario},
};

/// Shortest run in seconds.
const SHORTEST: f64 = 0.1;

/// Why a scenario cannot be scaled so.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ScaleError {
    /// The scaled run would be shorter than 100 ms or longer than a year.
    #[error("scaled by {}, {} becomes less than 100ms or more than a year; choose another --scale", .0, duration::format(*.1))]
    Time(f64, Duration),
    /// The scaled load would be zero, or more than a million.
    #[error("scaled by {0}, a peak of {1} becomes 0 or more than a million; choose another --scale-load")]
    Levels(f64, f64),
}

impl Scenario {
    /// The same scenario with its time multiplied by `times` and its load by `levels`, and the number of its
    /// iterations by both. Journeys, thresholds,
    /// think times, timeouts and held connections stay, because they are the behaviour that is tested.
    ///
    /// # Errors
    /// When the scaled time or load is out of its bounds.
    pub fn scaled(mut self, times: f64, levels: f64) -> Result<Self, ScaleError> {
        let profile = self.load.profile();
        if !(SHORTEST..=duration::LONGEST).contains(&(profile.seconds() * times)) {
            return Err(ScaleError::Time(times, profile.duration()));
        }
        let refused = ScaleError::Levels(levels, profile.peak());
        if !(0.0..=load::HIGHEST).contains(&(profile.peak() * levels)) {
            return Err(refused);
        }
        let scaled = self.load.map(|profile| profile.scaled(levels, times));
        if scaled.profile().total() <= 0.0 {
            return Err(refused);
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count; casts saturate"
        )]
        let scale = |count: u64| (count as f64 * times * levels).ceil().max(1.0) as u64;
        self.iterations = self.iterations.map(scale);
        self.load = match scaled {
            Load::Several(several) => Load::Several(several.map(|lane| Lane {
                iterations: lane.iterations.map(scale),
                ..lane.clone()
            })),
            only => only,
        };
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::quick::{Level, scenario};

    #[test]
    fn time_and_load_shrink_and_the_rest_stays() {
        let whole = scenario(Level::Rate(100.0), Duration::from_secs(100), false, Vec::new());
        let small = whole.clone().scaled(0.1, 0.5).unwrap();
        assert!((small.load.profile().seconds() - 10.0).abs() < 1e-9);
        assert!((small.load.profile().peak() - 50.0).abs() < 1e-9);
        assert_eq!(small.journeys, whole.journeys);
        assert_eq!(small.timeout, whole.timeout);
    }

    #[test]
    fn a_scale_that_leaves_nothing_or_too_much_is_refused() {
        let whole = scenario(Level::Rate(100.0), Duration::from_secs(100), false, Vec::new());
        for (times, levels, flag) in [
            (1e-6, 1.0, "--scale"),
            (1e300, 1.0, "--scale"),
            (f64::NAN, 1.0, "--scale"),
            (-1.0, 1.0, "--scale"),
            (1.0, 0.0, "--scale-load"),
            (1.0, 1e300, "--scale-load"),
        ] {
            let error = whole.clone().scaled(times, levels).unwrap_err().to_string();
            assert!(error.ends_with(flag), "{error}");
        }
    }
}
