//! All observations of the story, on one time axis.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    oracle::{Moment, Pods, Resource, Sample, Track},
    workload::Workload,
};

/// What was observed during the story, as tracks over time.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Observations by workload.
    pub workloads: BTreeMap<Workload, Seen>,
    /// Usage of all pods as metrics.k8s.io has it, by resource and pod.
    pub usage: Track<BTreeMap<Resource, BTreeMap<String, Sample>>>,
    /// The load, as the load model counts it.
    pub offered: Track<Offered>,
    /// Values in Prometheus.
    pub prometheus: Track<Values>,
    /// Answers of custom.metrics.k8s.io, which are what the HPA controller gets.
    pub served: Track<Values>,
    /// The `MetricsAvailable` condition of the resource.
    pub metrics_available: Track<Condition>,
}

/// Observations of one workload.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The pods of the workload.
    pub pods: Track<Pods>,
    /// The replicas of its Deployment.
    pub scale: Track<Scale>,
    /// The status of its HPA.
    pub hpa: Track<HpaStatus>,
}

/// A Deployment's replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scale {
    /// Replicas that the HPA asked for (`spec.replicas`).
    pub spec: i32,
    /// Pods that exist (`status.replicas`).
    pub status: i32,
    /// Pods that are Ready (`status.readyReplicas`).
    pub ready: i32,
}

/// The status of an HPA.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HpaStatus {
    /// Replicas that it desires.
    pub desired: i32,
    /// The metric that is highest above its target, and how high: 2.0 is twice the target.
    pub leading: Option<(String, f64)>,
    /// Its `ScalingActive` condition.
    pub active: Option<Condition>,
}

/// A condition of an HPA.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Reason, in one word.
    pub reason: String,
    /// Message for people.
    pub message: String,
}

/// The load at one moment, as the load model reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize)]
pub(crate) struct Offered {
    /// Requests to all gateways together.
    pub service: Arriving,
    /// Jobs in the queue.
    pub queue_depth: u64,
    /// Age of the oldest job.
    pub oldest_job_seconds: f64,
}

/// Requests that arrive at the gateways.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize)]
pub(crate) struct Arriving {
    /// Gateway pods that are Ready and share the requests.
    pub ready_pods: i32,
    /// Recent requests per second.
    pub requests_per_second: f64,
    /// Requests so far.
    pub arrived: u64,
    /// Refused requests so far.
    pub rejected: u64,
}

/// Values of the three metrics; `None` where there is no value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Values {
    /// Requests per second, averaged over the pods that have a value.
    pub rate: Option<f64>,
    /// Number of jobs.
    pub depth: Option<f64>,
    /// Age of the oldest job in seconds.
    pub age: Option<f64>,
}

/// A record that watches and polls write to during the story.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Arc<Mutex<Record>>);

impl Shared {
    /// Locks the record.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    /// Observations of a workload.
    pub(crate) fn of(&mut self, workload: Workload) -> &mut Seen {
        self.workloads.entry(workload).or_default()
    }

    /// The latest state of a workload.
    pub(crate) fn now(&self, workload: Workload) -> (Scale, HpaStatus) {
        let Some(seen) = self.workloads.get(&workload) else {
            return Default::default();
        };
        (
            latest(&seen.scale).copied().unwrap_or_default(),
            latest(&seen.hpa).cloned().unwrap_or_default(),
        )
    }
}

/// The last value of a track.
pub(crate) fn latest<T>(track: &Track<T>) -> Option<&T> {
    track.at(Moment::INFINITY)
}
