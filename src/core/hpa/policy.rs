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
    /// The policies, and which of them counts.
    pub policies: Policies,
    /// Relative deviation from a target that is ignored, 0.1 for 10 %; `None` for the controller's flag.
    pub tolerance: Option<f64>,
}

/// Which of several policies counts: `selectPolicy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policies {
    /// The policy that allows the largest change.
    Max(Vec<Policy>),
    /// The policy that allows the smallest change.
    Min(Vec<Policy>),
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

impl Policies {
    /// All policies; none if the direction is disabled.
    #[must_use]
    pub fn all(&self) -> &[Policy] {
        match self {
            Self::Max(policies) | Self::Min(policies) => policies,
            Self::Disabled => &[],
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
        let policies = policies.unwrap_or(default);
        Self {
            window: rules
                .and_then(|rules| rules.stabilization_window_seconds)
                .unwrap_or(window),
            policies: match rules.and_then(|rules| rules.select_policy.as_deref()) {
                Some("Disabled") => Policies::Disabled,
                Some("Min") => Policies::Min(policies),
                _ => Policies::Max(policies),
            },
            tolerance: rules
                .and_then(|rules| rules.tolerance.as_ref())
                .and_then(fraction),
        }
    }

    /// The longest period of the policies, in seconds. The controller remembers its own rescales for as long
    /// (`getLongestPolicyPeriod`).
    #[must_use]
    pub fn longest_period(&self) -> i32 {
        let periods = self.policies.all().iter().map(|policy| policy.period());
        periods.max().unwrap_or(0)
    }
}

/// The most replicas that the policies allow if the period of each policy began with `start` replicas
/// (`calculateScaleUpLimitWithScalingRules`). Example: from 3, `Pods: 4` allows 7 and `Percent: 100` allows
/// 6.
#[must_use]
pub fn up_limit(rules: &Rules, start: i32) -> i32 {
    // The order of operations is the controller's, because its rounding noise shows: 50 * (1 + 10/100) is a
    // little above 55, so +10 % of 50 allows 56.
    let limit = |policy: &Policy| match *policy {
        Policy::Pods(value, _) => start.saturating_add(value),
        Policy::Percent(value, _) => number::ceil(f64::from(start) * (1.0 + f64::from(value) / 100.0)),
    };
    let limit = match &rules.policies {
        Policies::Max(policies) => policies.iter().map(limit).max(),
        Policies::Min(policies) => policies.iter().map(limit).min(),
        Policies::Disabled => None,
    };
    limit.unwrap_or(start).max(start)
}

/// The fewest replicas that the policies allow if the period of each policy began with `start` replicas
/// (`calculateScaleDownLimitWithBehaviors`). Percentages are truncated toward zero: -10 % of 72 leaves 64.
#[must_use]
pub fn down_limit(rules: &Rules, start: i32) -> i32 {
    let limit = |policy: &Policy| match *policy {
        Policy::Pods(value, _) => start.saturating_sub(value),
        Policy::Percent(value, _) => number::trunc(f64::from(start) * (1.0 - f64::from(value) / 100.0)),
    };
    // The largest change on the way down is the smallest number that is left.
    let limit = match &rules.policies {
        Policies::Max(policies) => policies.iter().map(limit).min(),
        Policies::Min(policies) => policies.iter().map(limit).max(),
        Policies::Disabled => None,
    };
    limit.unwrap_or(start).min(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn max(policies: &[Policy]) -> Rules {
        Rules {
            window: 0,
            policies: Policies::Max(policies.to_vec()),
            tolerance: None,
        }
    }

    #[test]
    fn percentages_keep_the_controllers_noise() {
        let up = |percent, start| up_limit(&max(&[Policy::Percent(percent, 15)]), start);
        let down = |percent, start| down_limit(&max(&[Policy::Percent(percent, 15)]), start);
        assert_eq!(up(10, 50), 56);
        assert_eq!(down(80, 5), 0);
        assert_eq!(down(90, 10), 0);
        assert_eq!(down(10, 72), 64);
        assert_eq!(down(100, 7), 0);
    }

    #[test]
    fn the_default_policies_allow_four_more_or_double() {
        let rules = Rules::read(None, Direction::Up, &Controller::default());
        assert_eq!([1, 3, 5, 10].map(|start| up_limit(&rules, start)), [5, 7, 10, 20]);
    }

    #[test]
    fn min_takes_the_smallest_change_in_both_directions_and_disabled_none() {
        let policies = vec![Policy::Pods(1, 15), Policy::Percent(50, 60)];
        let rules = |policies| Rules {
            window: 0,
            policies,
            tolerance: None,
        };
        let both = |rules: &Rules| (up_limit(rules, 10), down_limit(rules, 10));
        assert_eq!(both(&rules(Policies::Max(policies.clone()))), (15, 5));
        assert_eq!(both(&rules(Policies::Min(policies))), (11, 9));
        assert_eq!(both(&rules(Policies::Disabled)), (10, 10));
    }
}
