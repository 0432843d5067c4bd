//! The number of replicas that one metric proposes.

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
    /// `status.replicas` of the target, which counts where a total is divided.
    pub status: i32,
    /// The flags of the controller.
    pub controller: &'a Controller,
    /// The time.
    pub now: Timestamp,
}

/// What a metrics API answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A value per pod, by name.
    PerPod(BTreeMap<String, Sample>),
    /// One value in milli-units: an object's, or the sum over all external series.
    Total(Milli),
}

/// What one metric proposes.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Replicas.
    pub replicas: i32,
    /// The value over its target, before pods without a value are made up for.
    pub ratio: f64,
    /// The value, in the unit of the target.
    pub measured: Measured,
    /// Which pods counted, where pods do.
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
    /// Milli-units in all.
    Total(Milli),
}

/// How a ratio led to a number of replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Outcome {
    /// The ratio was applied.
    Scaled,
    /// The ratio is within the tolerance.
    WithinTolerance,
    /// Made up for pods without a value or not ready, the ratio no longer asks for a change that way.
    Damped,
}

/// Why a metric proposes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// No value is left once pods that do not count are out.
    #[error("no pod with a value counts: {} unready, {} ignored", .0.unready, .0.ignored)]
    NoPodCounts(Counts),
    /// A container has no request to measure a utilization against.
    #[error("missing request for {resource} in container {container} of pod {pod}")]
    MissingRequest {
        /// Which resource.
        resource: String,
        /// Which container.
        container: String,
        /// Of which pod.
        pod: String,
    },
    /// None of the pods with a value is known, or they request nothing.
    #[error("no metrics returned matched known pods")]
    NoKnownPod,
    /// A value in all needs pods to multiply.
    #[error("no pods match the target's selector")]
    NoPods,
    /// The value and the target do not fit, which no metrics API gives.
    #[error("the value does not fit the kind of the target")]
    Mismatch,
}

/// The proposal of one metric.
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

/// A total against a value: the ratio times the pods that are Running and Ready. From zero there are no pods to
/// multiply, and no tolerance.
fn value(hpa: &Hpa, total: Milli, target: Milli, world: &World<'_>) -> Result<Proposal, MetricError> {
    let ratio = number::float(total) / number::float(target);
    let proposal = |replicas, outcome| Proposal {
        replicas,
        ratio,
        measured: Measured::Total(total),
        pods: None,
        outcome,
    };
    if world.current == 0 {
        return Ok(proposal(number::ceil(ratio), Outcome::Scaled));
    }
    if hpa.tolerates(world.controller, ratio) {
        return Ok(proposal(world.current, Outcome::WithinTolerance));
    }
    if world.pods.is_empty() {
        return Err(MetricError::NoPods);
    }
    let ready = world.pods.values().filter(|pod| pod.is_running_and_ready());
    let replicas = number::ceil(ratio * number::count(ready.count()));
    Ok(proposal(replicas, Outcome::Scaled))
}

/// A total against an average. Pods play no part; within tolerance it proposes the *status* replicas.
fn average(hpa: &Hpa, total: Milli, target: Milli, world: &World<'_>) -> Proposal {
    let status = f64::from(world.status);
    let ratio = number::float(total) / (number::float(target) * status);
    let (replicas, outcome) = if hpa.tolerates(world.controller, ratio) {
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
