//! The rate limits of `behavior`: how far one sync may scale up or down.

use k8s_openapi::api::autoscaling::v2::HPAScalingRules;

use super::{
    controller::{Controller, Direction},
    number::{self, fraction},
};

/// Rules for one direction, defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The stabilization window in seconds.
    pub window: i32,
    /// Which of the policies counts.
    pub select: Select,
    /// The policies. Also those of a disabled direction have a use: how long the controller remembers its
    /// rescales.
    pub policies: Vec<Policy>,
    /// Relative deviation from a target that is ignored, 0.1 for 10 %; `None` for the controller's flag.
    pub tolerance: Option<f64>,
}

/// Which of several policies counts: `selectPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    /// The policy that allows the largest change.
    Max,
    /// The policy that allows the smallest change.
    Min,
    /// The replicas do not change in this direction.
    Disabled,
}

/// One policy: the largest change within a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// A number of pods, and the period in seconds.
    Pods(i32, i32),
    /// A percentage of the replicas at the start of the period, and the period in seconds.
    Percent(i32, i32),
}

impl Policy {
    /// The period in seconds.
    #[must_use]
    pub fn period(self) -> i32 {
        match self {
            Self::Pods(_, period) | Self::Percent(_, period) => period,
        }
    }
}

impl Rules {
    /// Reads the rules of one direction. A field that is set replaces the default one; `policies` is replaced
    /// as a whole.
    pub(super) fn read(
        rules: Option<&HPAScalingRules>,
        direction: Direction,
        controller: &Controller,
    ) -> Self {
        // GenerateHPAScaleUpRules, GenerateHPAScaleDownRules; maybeInitScaleDownStabilizationWindow for the
        // window.
        let (window, default) = match direction {
            Direction::Up => (0, vec![Policy::Pods(4, 15), Policy::Percent(100, 15)]),
            Direction::Down => (controller.downscale_stabilization, vec![Policy::Percent(100, 15)]),
        };
        let policies = rules.and_then(|rules| rules.policies.as_ref()).map(|policies| {
            let policy = policies.iter().map(|policy| match policy.type_.as_str() {
                "Percent" => Policy::Percent(policy.value, policy.period_seconds),
                _ => Policy::Pods(policy.value, policy.period_seconds),
            });
            policy.collect()
        });
        let tolerance = rules.and_then(|rules| rules.tolerance.as_ref());
        Self {
            window: rules
                .and_then(|rules| rules.stabilization_window_seconds)
                .unwrap_or(window),
            select: match rules.and_then(|rules| rules.select_policy.as_deref()) {
                Some("Disabled") => Select::Disabled,
                Some("Min") => Select::Min,
                _ => Select::Max,
            },
            policies: policies.unwrap_or(default),
            // tolerancesForHpa
            tolerance: tolerance
                .filter(|_| controller.gates.configurable_tolerance)
                .and_then(fraction),
        }
    }

    /// The longest period of the policies, in seconds (`getLongestPolicyPeriod`).
    #[must_use]
    pub fn longest_period(&self) -> i32 {
        let periods = self.policies.iter().map(|policy| policy.period());
        periods.max().unwrap_or(0)
    }
}

/// The most replicas that the policies allow to `current` replicas (`calculateScaleUpLimitWithScalingRules`).
/// `start` gives the replicas at the start of a period of so many seconds. Example: from 3, `Pods: 4` allows 7 and
/// `Percent: 100` allows 6. The limit is never below `current`, however far the rescales of the period went.
#[must_use]
pub fn up_limit(rules: &Rules, current: i32, start: impl Fn(i32) -> i32) -> i32 {
    // The order of operations is the controller's, because its rounding noise shows: 50 * (1 + 10/100) is a
    // little above 55, so +10 % of 50 allows 56.
    let limits = rules.policies.iter().map(|policy| match *policy {
        Policy::Pods(value, period) => start(period).wrapping_add(value),
        Policy::Percent(value, period) => {
            number::ceil(f64::from(start(period)) * (1.0 + f64::from(value) / 100.0))
        }
    });
    let limit = match rules.select {
        Select::Max => limits.max().unwrap_or(i32::MIN),
        Select::Min => limits.min().unwrap_or(i32::MAX),
        Select::Disabled => current,
    };
    limit.max(current)
}

/// The fewest replicas that the policies allow to `current` replicas (`calculateScaleDownLimitWithBehaviors`).
/// `start` gives the replicas at the start of a period of so many seconds. The limit is never above `current`.
/// Percentages are truncated toward zero: -10 % of 72 leaves 64.
#[must_use]
pub fn down_limit(rules: &Rules, current: i32, start: impl Fn(i32) -> i32) -> i32 {
    let limits = rules.policies.iter().map(|policy| match *policy {
        Policy::Pods(value, period) => start(period).wrapping_sub(value),
        Policy::Percent(value, period) => {
            number::trunc(f64::from(start(period)) * (1.0 - f64::from(value) / 100.0))
        }
    });
    // The largest change on the way down is the smallest number that is left.
    let limit = match rules.select {
        Select::Max => limits.min().unwrap_or(i32::MAX),
        Select::Min => limits.max().unwrap_or(i32::MIN),
        Select::Disabled => current,
    };
    limit.min(current)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(select: Select, policies: &[Policy]) -> Rules {
        Rules {
            window: 0,
            select,
            policies: policies.to_vec(),
            tolerance: None,
        }
    }

    #[test]
    fn percentages_keep_the_controllers_noise() {
        let percent = |percent| rules(Select::Max, &[Policy::Percent(percent, 15)]);
        let up = |by, from| up_limit(&percent(by), from, |_| from);
        let down = |by, from| down_limit(&percent(by), from, |_| from);
        assert_eq!(up(10, 50), 56);
        assert_eq!(down(80, 5), 0);
        assert_eq!(down(90, 10), 0);
        assert_eq!(down(10, 72), 64);
        assert_eq!(down(100, 7), 0);
    }

    #[test]
    fn the_default_policies_allow_four_more_or_double() {
        let rules = Rules::read(None, Direction::Up, &Controller::default());
        let limits = [1, 3, 5, 10].map(|from| up_limit(&rules, from, |_| from));
        assert_eq!(limits, [5, 7, 10, 20]);
    }

    #[test]
    fn a_limit_counts_from_the_start_of_the_period_and_stops_at_the_current_count() {
        let rules = rules(Select::Max, &[Policy::Pods(2, 60)]);
        // 5 replicas were added within the period, of which 2 were allowed: none may follow.
        assert_eq!(up_limit(&rules, 10, |_| 5), 10);
        assert_eq!(up_limit(&rules, 10, |_| 9), 11);
        assert_eq!(down_limit(&rules, 10, |_| 15), 10);
        assert_eq!(down_limit(&rules, 10, |_| 11), 9);
    }

    #[test]
    fn each_policy_has_a_period_of_its_own() {
        let rules = rules(Select::Max, &[Policy::Pods(2, 60), Policy::Pods(4, 15)]);
        let start = |period| if period == 60 { 5 } else { 9 };
        assert_eq!(up_limit(&rules, 10, start), 13);
        assert_eq!(rules.longest_period(), 60);
    }

    #[test]
    fn min_takes_the_smallest_change_in_both_directions_and_disabled_none() {
        let both = |select| {
            let rules = rules(select, &[Policy::Pods(1, 15), Policy::Percent(50, 60)]);
            (up_limit(&rules, 10, |_| 10), down_limit(&rules, 10, |_| 10))
        };
        assert_eq!(both(Select::Max), (15, 5));
        assert_eq!(both(Select::Min), (11, 9));
        assert_eq!(both(Select::Disabled), (10, 10));
    }
}
