//! The proposal of one metric: what it is made from, what it says, and why there may be none.

use jiff::Timestamp;

use super::{
    controller::Controller,
    milli::Milli,
    pods::{Cohort, Counts},
};

/// What the controller looks at besides the metric's value.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Pods that the target's selector selects.
    pub cohorts: &'a [Cohort],
    /// `spec.replicas` of the target.
    pub current: i32,
    /// `status.replicas` of the target. An `AverageValue` of Object and External metrics divides by it.
    pub status: i32,
    /// The flags of the controller.
    pub controller: &'a Controller,
    /// The moment of the sync.
    pub now: Timestamp,
}

/// What one metric proposes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proposal {
    /// Replicas that the metric proposes, before the limits of the HPA.
    pub replicas: i32,
    /// The value divided by its target, before a value is assumed for pods without one.
    pub ratio: f64,
    /// The value, in the unit of the target.
    pub measured: Measured,
    /// How many pods counted; `None` for Object and External metrics.
    pub pods: Option<Counts>,
    /// How the ratio led to the replicas.
    pub outcome: Outcome,
}

/// A value in the unit of its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// Percent of the requests.
    Utilization(i32),
    /// Milli-units per pod.
    Average(Milli),
    /// Milli-units of all pods together.
    Total(Milli),
}

/// How a ratio led to a number of replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub enum Outcome {
    /// The ratio was applied.
    Scaled,
    /// The ratio is within the tolerance.
    WithinTolerance,
    /// With values assumed for pods that are missing or unready, the ratio no longer asks for that change.
    Damped,
}

/// Why a metric proposes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// All samples belong to unready or ignored pods, so none is left.
    #[error("no pod with a value counts: {} unready, {} ignored", .0.unready, .0.ignored)]
    NoPodCounts(Counts),
    /// A container, or a pod with requests of its own, has no request to measure a utilization against.
    #[error("a pod has no request to measure a utilization against")]
    MissingRequest {
        /// Index of the pod's cohort. [`Requests::lacking`](super::Requests::lacking) gives the container.
        cohort: usize,
    },
    /// None of the pods with a value is known, or they request nothing.
    #[error("no metrics returned matched known pods")]
    NoKnownPod,
    /// The selector selects no pod at all. Whatever samples there are then belong to pods that are gone.
    #[error("no pods match the target's selector")]
    NoPods,
    /// The value is per pod where the target needs a total, or the reverse. No metrics API answers like this.
    #[error("the value does not fit the kind of the target")]
    Mismatch,
}
