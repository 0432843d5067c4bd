//! Computes the number of replicas that one metric proposes.

use super::{
    milli::Milli,
    number,
    per_pod::{self, Level},
    pods::Sample,
    proposal::{Measured, MetricError, Outcome, Proposal, World},
    spec::{Hpa, Metric, Source, Target},
};

/// The value that a metrics API answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A value per pod.
    PerPod(Samples),
    /// One value in milli-units: that of an object, or the sum over all external series.
    Total(Milli),
}

/// The samples of one metric with a value per pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    /// The sample that each pod of a cohort has, in the order of the cohorts; `None` for a cohort without.
    pub of_cohorts: Vec<Option<Sample>>,
    /// Values of pods that the selector does not select, for example because they are gone.
    pub strangers: Vec<Milli>,
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
                Source::Pods | Source::Object | Source::External => return Err(MetricError::Mismatch),
            };
            let level = Level::Utilization {
                resource,
                container,
                percent,
            };
            per_pod::propose(hpa, level, samples, resource == "cpu", world)
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
            per_pod::propose(hpa, Level::Average(target), samples, cpu, world)
        }
        (Reading::Total(total), Target::Value(target)) => value(hpa, *total, target, world),
        (Reading::Total(total), Target::AverageValue(target)) => {
            // Only GetExternalPerPodMetricReplicas looks at the upper bound before it rounds.
            let bounded = matches!(metric.source, Source::External);
            Ok(average(hpa, *total, target, bounded, world))
        }
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
    if world.cohorts.iter().all(|cohort| cohort.count == 0) {
        return Err(MetricError::NoPods);
    }
    let ready = world
        .cohorts
        .iter()
        .filter(|cohort| cohort.pod.is_running_and_ready());
    let ready = ready.map(|cohort| cohort.count).sum();
    let replicas = number::ceil_to_most(ratio * number::count(ready));
    Ok(proposal(replicas, Outcome::Scaled))
}

/// The proposal of a total against an `AverageValue` target (`GetObjectPerPodMetricReplicas`,
/// `GetExternalPerPodMetricReplicas`): the total divided by the target. Pods play no part. Example: a queue
/// of 180 with a target of 50 proposes 4.
fn average(hpa: &Hpa, total: Milli, target: Milli, bounded: bool, world: &World<'_>) -> Proposal {
    // With `status.replicas` 0 the ratio is infinite or NaN, which no tolerance contains.
    let status = f64::from(world.status);
    let ratio = number::float(total) / (number::float(target) * status);
    let (replicas, outcome) = if hpa.tolerates(world.controller, ratio) {
        // Upstream proposes `status.replicas`, not `spec.replicas`. With `spec.replicas: 3` and one surge pod
        // of a rollout it proposes 4.
        (world.status, Outcome::WithinTolerance)
    } else {
        let ceil = if bounded {
            number::ceil_to_most
        } else {
            number::ceil
        };
        let replicas = ceil(number::float(total) / number::float(target));
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
