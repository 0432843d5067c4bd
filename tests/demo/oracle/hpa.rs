//! The spec of an HPA, in the units that the controller computes with.

use super::{Moment, number};

/// One HPA. Quantities are in milli-units, rounded up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hpa {
    /// Fewest replicas; at least 1.
    pub min: i32,
    /// The largest number of replicas.
    pub max: i32,
    /// Metrics in order.
    pub metrics: Vec<Metric>,
    /// Rules for adding replicas.
    pub up: Direction,
    /// Rules for removing replicas.
    pub down: Direction,
}

/// One metric of the HPA.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metric {
    /// Name of the resource, or of the metric.
    pub name: String,
    /// The target of the metric.
    pub target: Target,
}

/// Kinds of metrics, each with its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Percent of the pods' requests.
    Utilization(Resource, i32),
    /// Per pod, from a Pods metric.
    PodsAverage(i64),
    /// An Object metric as it is.
    ObjectValue(i64),
    /// An Object metric divided by the replicas.
    ObjectAverage(i64),
}

/// A compute resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resource {
    /// CPU: the only one with readiness rules.
    Cpu,
    /// Memory, without readiness rules.
    Memory,
}

/// Rules for one direction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Direction {
    /// Stabilization window in seconds: how far back earlier proposals count.
    pub window: Moment,
    /// Which policy counts.
    pub select: Select,
    /// Limits on the change per period.
    pub policies: Vec<Policy>,
    /// Tolerance; `None`: that of the controller.
    pub tolerance: Option<f64>,
}

/// Which policy of a list counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Select {
    /// The largest allowed change.
    Max,
    /// The smallest allowed change.
    Min,
    /// No change in this direction.
    Disabled,
}

/// One limit on the change per period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Policy {
    /// Unit of the value.
    pub unit: PolicyUnit,
    /// Greatest change in one period, in this unit.
    pub value: i32,
    /// Length of the period, in seconds.
    pub period: Moment,
}

/// Unit of a policy's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PolicyUnit {
    /// A number of pods.
    Pods,
    /// Percent of the replicas at the start of the period.
    Percent,
}

/// Tolerances: deviations from the target that are ignored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tolerance {
    /// Tolerance below the target.
    pub down: f64,
    /// Tolerance above the target.
    pub up: f64,
}

impl Tolerance {
    /// Default of `--horizontal-pod-autoscaler-tolerance`.
    const DEFAULT: f64 = 0.1;

    /// Whether a ratio of value to target is within the tolerance. The form matters: `abs(1 - ratio) <= 0.1`
    /// gives another result at 1.1.
    pub(crate) fn ignores(self, ratio: f64) -> bool {
        (1.0 - self.down) <= ratio && ratio <= (1.0 + self.up)
    }
}

impl Hpa {
    /// The tolerances in force.
    pub(crate) fn tolerance(&self) -> Tolerance {
        Tolerance {
            down: self.down.tolerance.unwrap_or(Tolerance::DEFAULT),
            up: self.up.tolerance.unwrap_or(Tolerance::DEFAULT),
        }
    }
}

impl Policy {
    /// The count this policy allows upward from the count at the start of its period.
    pub(crate) fn above(self, start: i32) -> i32 {
        match self.unit {
            PolicyUnit::Pods => start + self.value,
            // The order of the operations matters: 50 + 10 % is 56 in binary fractions.
            PolicyUnit::Percent => number::ceil(f64::from(start) * (1.0 + f64::from(self.value) / 100.0)),
        }
    }

    /// The count this policy allows downward from the count at the start of its period.
    pub(crate) fn below(self, start: i32) -> i32 {
        match self.unit {
            PolicyUnit::Pods => start - self.value,
            PolicyUnit::Percent => number::truncate(f64::from(start) * (1.0 - f64::from(self.value) / 100.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(value: i32) -> Policy {
        Policy {
            unit: PolicyUnit::Percent,
            value,
            period: 60.0,
        }
    }

    #[test]
    fn percent_policies_keep_the_noise_of_binary_fractions() {
        assert_eq!(percent(10).above(50), 56, "not 55");
        assert_eq!(percent(80).below(5), 0, "not 1");
        assert_eq!(percent(90).below(10), 0, "not 1");
    }

    #[test]
    fn percent_policies_round_up_on_the_way_up_and_toward_zero_on_the_way_down() {
        assert_eq!(percent(50).above(1), 2);
        assert_eq!(percent(10).below(72), 64);
        assert_eq!(percent(150).below(10), -5);
    }

    #[test]
    fn a_ratio_of_exactly_1_1_is_within_tolerance() {
        let tolerance = Tolerance { down: 0.1, up: 0.1 };
        assert!(tolerance.ignores(1.1), "abs(1 - 1.1) is above 0.1");
        assert!(tolerance.ignores(0.9));
        assert!(!tolerance.ignores(1.100_000_000_000_001));
        assert!(!tolerance.ignores(0.899_999));
    }

    #[test]
    fn each_direction_may_have_a_tolerance_of_its_own() {
        let tolerance = Tolerance { down: 0.0, up: 0.5 };
        assert!(tolerance.ignores(1.5));
        assert!(!tolerance.ignores(0.99));
    }
}
