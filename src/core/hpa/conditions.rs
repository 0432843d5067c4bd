//! The conditions of an HPA's status, as one sync leaves them.

/// What a condition says: its status and the reason. Messages are the controller's own and not imitated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether the condition is True; otherwise it is False.
    pub is_true: bool,
    /// The reason.
    pub reason: Reason,
}

/// The conditions that one sync set. `None` stands for one that it left as it was. The condition `ScaledToZero` is
/// in [`State::scaled_to_zero`](super::State::scaled_to_zero).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// Whether the replicas could be read and changed.
    pub able_to_scale: Condition,
    /// Whether the metrics gave a number.
    pub scaling_active: Option<Condition>,
    /// Whether a bound or a policy limited the number.
    pub scaling_limited: Option<Condition>,
}

/// The reasons of the conditions, by their names in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[expect(missing_docs, reason = "the names are the controller's, which documents them")]
pub enum Reason {
    SucceededGetScale,
    SucceededRescale,
    ReadyForNewScale,
    ScaleDownStabilized,
    ScaleUpStabilized,
    ScalingDisabled,
    InvalidSelector,
    AmbiguousSelector,
    FailedGetResourceMetric,
    FailedGetContainerResourceMetric,
    FailedGetPodsMetric,
    FailedGetObjectMetric,
    FailedGetExternalMetric,
    InvalidMetricSourceType,
    ValidMetricFound,
    DesiredWithinRange,
    TooFewReplicas,
    TooManyReplicas,
    ScaleUpLimit,
    ScaleDownLimit,
}

impl Condition {
    pub(super) fn yes(reason: Reason) -> Self {
        Self {
            is_true: true,
            reason,
        }
    }

    pub(super) fn no(reason: Reason) -> Self {
        Self {
            is_true: false,
            reason,
        }
    }
}
