//! What one sync decides, and what decided it.

use super::conditions::{Conditions, Reason};

/// The outcome of one sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Replicas after the sync.
    pub desired: i32,
    /// What decided that number.
    pub cause: Cause,
    /// Replicas that all metrics together propose, before stabilization, policies and bounds.
    pub proposal: Option<i32>,
    /// Index in `spec.metrics` of the metric whose proposal counts.
    pub metric: Option<usize>,
    /// Replicas that later syncs reach if only time passes: the proposal within `minReplicas` and
    /// `maxReplicas`.
    pub eventually: i32,
    /// The conditions that the sync set.
    pub conditions: Conditions,
}

/// What decided a number of replicas. The variants from `DesiredWithinRange` on are reasons of the condition
/// `ScalingLimited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub enum Cause {
    /// Somebody else set the replicas to zero, which switches autoscaling off.
    ScalingDisabled,
    /// The replicas were out of bounds. They go straight to the bound, whatever metrics and policies say.
    OutOfRange,
    /// The target's scale subresource has no selector, or none that can be read.
    InvalidSelector,
    /// Another HPA selects the same pods, so neither HPA acts.
    AmbiguousSelector,
    /// No metric has a value.
    NoMetrics,
    /// Some metric has no value, so nothing is scaled down.
    MissingMetrics,
    /// `selectPolicy` of this direction is `Disabled`.
    DirectionDisabled,
    /// An earlier recommendation within the stabilization window takes the place of the proposal.
    Stabilized,
    /// The proposal is taken unchanged.
    DesiredWithinRange,
    /// `minReplicas` raised the proposal.
    TooFewReplicas,
    /// `maxReplicas` lowered the proposal.
    TooManyReplicas,
    /// The policies of `scaleUp` lowered the proposal.
    ScaleUpLimit,
    /// The policies of `scaleDown` raised the proposal.
    ScaleDownLimit,
}

impl Cause {
    /// The cause that has the name of a limit's reason.
    pub(super) fn of_limit(reason: Reason) -> Self {
        match reason {
            Reason::TooFewReplicas => Self::TooFewReplicas,
            Reason::TooManyReplicas => Self::TooManyReplicas,
            Reason::ScaleUpLimit => Self::ScaleUpLimit,
            Reason::ScaleDownLimit => Self::ScaleDownLimit,
            _ => Self::DesiredWithinRange,
        }
    }
}
