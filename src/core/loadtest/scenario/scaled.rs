//! A scenario made shorter, or its load thinner.

use super::model::Scenario;

impl Scenario {
    /// The same scenario in `times` the time, with `levels` the load. What users do, and what has to hold, stays: think
    /// times, timeouts and held connections are part of the behaviour that is tested.
    #[must_use]
    pub fn scaled(mut self, times: f64, levels: f64) -> Self {
        use super::model::Load;
        self.load = match &self.load {
            Load::Open(profile) => Load::Open(profile.scaled(levels, times)),
            Load::Closed(profile) => Load::Closed(profile.scaled(levels, times)),
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::core::loadtest::scenario::quick::{Level, scenario};

    #[test]
    fn time_and_load_shrink_and_the_rest_stays() {
        let whole = scenario(Level::Rate(100.0), Duration::from_secs(100), false, Vec::new());
        let small = whole.clone().scaled(0.1, 0.5);
        assert!((small.load.profile().seconds() - 10.0).abs() < 1e-9);
        assert!((small.load.profile().peak() - 50.0).abs() < 1e-9);
        assert_eq!(small.journeys, whole.journeys);
        assert_eq!(small.timeout, whole.timeout);
    }
}
