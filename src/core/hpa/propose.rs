//! Computes the number of replicas that one metric proposes.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    number::{self, Milli},
    per_pod::{self, Level},
    pods::{Counts, Pod, Sample},
    spec::{Controller, Hpa, Metric, Source, Target},
};

/// What the controller looks at besides the metric's value.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Pods that the target's selector selects, by name.
    pub pods: &'a BTreeMap<String, Pod>,
    /// `spec.replicas` of the target.
    pub current: i32,
    /// `status.replicas` of the target. An `AverageValue` of Object and External metrics divides by it.
    pub status: i32,
    /// The flags of the controller.
    pub controller: &'a Controller,
    /// The moment of the sync.
    pub now: Timestamp,
}

/// The value that a metrics API answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A value per pod, by pod name.
    PerPod(BTreeMap<String, Sample>),
    /// One value in milli-units: that of an object, or the sum over all external series.
    Total(Milli),
}

/// What one metric proposes.
#[derive(Clone, Debug, PartialEq)]
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
    Utilization(i64),
    /// Milli-units per pod.
    Average(Milli),
    /// Milli-units of all pods together.
    Total(Milli),
}

/// How a ratio led to a number of replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Outcome {
    /// The ratio was applied.
    Scaled,
    /// The ratio is within the tolerance.
    WithinTolerance,
    /// With values assumed for pods that are missing or unready, the ratio no longer asks for that change.
    Damped,
}

/// Why a metric proposes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// All samples belong to unready or ignored pods, so none is left.
    #[error("no pod with a value counts: {} unready, {} ignored", .0.unready, .0.ignored)]
    NoPodCounts(Counts),
    /// A container has no request to measure a utilization against.
    #[error("missing request for {resource} in container {container} of pod {pod}")]
    MissingRequest {
        /// The resource, `cpu` for example.
        resource: String,
        /// Name of the container.
        container: String,
        /// Name of the container's pod.
        pod: String,
    },
    /// None of the pods with a value is known, or they request nothing.
    #[error("no metrics returned matched known pods")]
    NoKnownPod,
    /// The ratio of a `Value` target multiplies the ready pods, and the selector selects no pod at all.
    #[error("no pods match the target's selector")]
    NoPods,
    /// The value is per pod where the target needs a total, or the reverse. No metrics API answers like this.
    #[error("the value does not fit the kind of the target")]
    Mismatch,
}

/// Computes the proposal of one metric (`computeReplicasForMetric`).
///
/// # Errors
/// See [`MetricError`].
pub fn propose(
    hpa: &Hpa,
    metric: &Metric,
    reading: &Reading,
    world: &World<'_>,
) -> Result<Proposal, MetricError> {
    match (reading, metric.target) {
        (Reading::PerPod(samples), Target::Utilization(percent)) => {
            let (resource, container) = match &metric.source {
                Source::Resource { resource } => (resource, None),
                Source::ContainerResource { resource, container } => (resource, Some(container.as_str())),
                _ => return Err(MetricError::Mismatch),
            };
            let level = Level::utilization(world.pods, resource, container, percent)?;
            per_pod::propose(hpa, &level, samples, resource == "cpu", world)
        }
        (Reading::PerPod(samples), Target::AverageValue(target)) => {
            // calcPlainMetricReplicas gets the name of the resource; it is empty for a Pods metric, so no
            // rule for CPU applies.
            let cpu = match &metric.source {
                Source::Resource { resource } | Source::ContainerResource { resource, .. } => {
                    resource == "cpu"
                }
                Source::Pods | Source::Object | Source::External => false,
            };
            per_pod::propose(hpa, &Level::Average(target), samples, cpu, world)
        }
        (Reading::Total(total), Target::Value(target)) => value(hpa, *total, target, world),
        (Reading::Total(total), Target::AverageValue(target)) => Ok(average(hpa, *total, target, world)),
        (Reading::PerPod(_), Target::Value(_)) | (Reading::Total(_), Target::Utilization(_)) => {
            Err(MetricError::Mismatch)
        }
    }
}

/// The proposal of a total against a `Value` target (`getUsageRatioReplicaCount`): the ratio times the pods
/// that are Running and Ready. Example: 120 against a target of 60 with 2 ready pods proposes 4.
fn value(hpa: &Hpa, total: Milli, target: Milli, world: &World<'_>) -> Result<Proposal, MetricError> {
    let ratio = number::float(total) / number::float(target);
    let proposal = |replicas, outcome| Proposal {
        replicas,
        ratio,
        measured: Measured::Total(total),
        pods: None,
        outcome,
    };
    // At zero replicas there are no pods to multiply. Upstream takes the ratio itself, without a tolerance.
    if world.current == 0 {
        return Ok(proposal(number::ceil(ratio), Outcome::Scaled));
    }
    // The tolerance comes before the pods: within it, even a target without pods gets a proposal.
    if hpa.tolerates(world.controller, ratio) {
        return Ok(proposal(world.current, Outcome::WithinTolerance));
    }
    // getReadyPodsCount: no pods is an error, but no *ready* pods proposes 0.
    if world.pods.is_empty() {
        return Err(MetricError::NoPods);
    }
    let ready = world.pods.values().filter(|pod| pod.is_running_and_ready());
    let replicas = number::ceil(ratio * number::count(ready.count()));
    Ok(proposal(replicas, Outcome::Scaled))
}

/// The proposal of a total against an `AverageValue` target (`GetObjectPerPodMetricReplicas`,
/// `GetExternalPerPodMetricReplicas`): the total divided by the target. Pods play no part. Example: a queue
/// of 180 with a target of 50 proposes 4.
fn average(hpa: &Hpa, total: Milli, target: Milli, world: &World<'_>) -> Proposal {
    // With `status.replicas` 0 the ratio is infinite or NaN, which no tolerance contains.
    let status = f64::from(world.status);
    let ratio = number::float(total) / (number::float(target) * status);
    let (replicas, outcome) = if hpa.tolerates(world.controller, ratio) {
        // Upstream proposes `status.replicas`, not `spec.replicas`. With `spec.replicas: 3` and one surge pod
        // of a rollout it proposes 4.
        (world.status, Outcome::WithinTolerance)
    } else {
        let replicas = number::ceil(number::float(total) / number::float(target));
        (replicas, Outcome::Scaled)
    };
    Proposal {
        replicas,
        ratio,
        measured: Measured::Total(total),
        pods: None,
        outcome,
    }
}
