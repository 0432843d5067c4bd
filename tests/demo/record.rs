//! Everything that is seen during the story, on one time axis.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    oracle::{Moment, Pods, Resource, Sample, Track},
    workload::Workload,
};

/// What was seen.
#[derive(Debug, Default)]
pub struct Record {
    /// Per workload.
    pub workloads: BTreeMap<Workload, Seen>,
    /// Usage of all pods as metrics.k8s.io has it, by resource and pod.
    pub usage: Track<BTreeMap<Resource, BTreeMap<String, Sample>>>,
    /// What is offered, as the load model counts it.
    pub offered: Track<Offered>,
    /// What Prometheus holds.
    pub prometheus: Track<Values>,
    /// What custom.metrics.k8s.io answers, which is what the HPA controller is told.
    pub served: Track<Values>,
    /// The `MetricsAvailable` condition of the resource.
    pub metrics_available: Track<Condition>,
}

/// What was seen of one workload.
#[derive(Debug, Default)]
pub struct Seen {
    /// Its pods.
    pub pods: Track<Pods>,
    /// Its scale.
    pub scale: Track<Scale>,
    /// Its HPA's status.
    pub hpa: Track<HpaStatus>,
}

/// A Deployment's replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scale {
    /// Asked for.
    pub spec: i32,
    /// There.
    pub status: i32,
    /// Ready.
    pub ready: i32,
}

/// What an HPA says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HpaStatus {
    /// The count it wants.
    pub desired: i32,
    /// The metric that is highest above its target, and how high: 2.0 is twice the target.
    pub leading: Option<(String, f64)>,
    /// Its `ScalingActive` condition.
    pub active: Option<Condition>,
}

/// A condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, in one word.
    pub reason: String,
    /// Why.
    pub message: String,
}

/// What the load model offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize)]
pub struct Offered {
    /// To all gateways together.
    pub service: Arriving,
    /// Jobs in the queue.
    pub queue_depth: u64,
    /// Age of the oldest job.
    pub oldest_job_seconds: f64,
}

/// Requests that arrive at the gateways.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize)]
pub struct Arriving {
    /// Ready pods.
    pub ready_pods: i32,
    /// Of late.
    pub requests_per_second: f64,
    /// So far.
    pub arrived: u64,
    /// Those that were turned away.
    pub rejected: u64,
}

/// The values of the three metrics; `None` is no value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Values {
    /// Requests per second, averaged over the pods that have a value.
    pub rate: Option<f64>,
    /// Jobs.
    pub depth: Option<f64>,
    /// Seconds.
    pub age: Option<f64>,
}

/// A record that watches and polls write to while the story is told.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Mutex<Record>>);

impl Shared {
    /// The record, for a moment.
    pub fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    /// What was seen of a workload.
    pub fn of(&mut self, workload: Workload) -> &mut Seen {
        self.workloads.entry(workload).or_default()
    }

    /// The latest state of a workload.
    pub fn now(&self, workload: Workload) -> (Scale, HpaStatus) {
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
pub fn latest<T>(track: &Track<T>) -> Option<&T> {
    track.at(Moment::INFINITY)
}
