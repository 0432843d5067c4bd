//! `vas init`: a first resource for what runs already, with the reason of each choice.
//!
//! ```text
//! read (asks the cluster and Prometheus) --> Facts --propose--> Proposal --> the command line prints it
//! candidates  which series may count requests, or measure a queue
//! ```
//!
//! Invariant: nothing is guessed silently. What was measured is in the resource and says from what; what only the owner of
//! the workload can know is a comment. Must not: write to the cluster.

mod candidates;
mod propose;
mod read;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::PodSpec;

pub use propose::{InitError, Proposal, propose};
pub use read::{Settings, TargetWord, read};
use vas_api::v1alpha1::{ScaleTargetRef, VoiceAssistScaling};
use vas_core::k8s::read::Read;

/// What is known about the workload.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Name of the resource to write.
    pub name: String,
    /// Namespace of the workload.
    pub namespace: String,
    /// The workload.
    pub target: ScaleTargetRef,
    /// The replicas that it is to have now.
    pub replicas: i32,
    /// A live pod's spec, in which a LimitRange has filled in its defaults; without a live pod, the pod template's.
    pub pod: Option<PodSpec>,
    /// What manages the workload, or has the name of the resource, already.
    pub taken: Option<Taken>,
    /// Whether the cluster serves CPU and memory of pods.
    pub resource_metrics: Read<()>,
    /// The series of the workload's pods.
    pub series: Read<SeriesSeen>,
}

/// Why there is nothing to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// This HPA scales the workload.
    Hpa(String),
    /// A resource of this name exists.
    Resource,
}

/// The series in Prometheus that may be of use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesSeen {
    /// How Prometheus was asked.
    pub how: String,
    /// Counters of requests of the pods, the likeliest first.
    pub requests: Vec<Counter>,
    /// Gauges of waiting jobs, the likeliest first.
    pub depths: Vec<Gauge>,
    /// Gauges of the age of the oldest waiting job, the likeliest first.
    pub ages: Vec<Gauge>,
    /// Number of names among which these were found.
    pub names: usize,
}

/// A counter that may count the requests of the pods.
#[derive(Clone, Debug, PartialEq)]
pub struct Counter {
    /// Name of the counter.
    pub name: String,
    /// Labels of one of its series.
    pub labels: BTreeSet<String>,
    /// The most requests per second of a pod, on average over the pods, in the last hour; `None` if there is no rate of a
    /// whole minute yet.
    pub peak: Option<f64>,
}

/// A gauge that may measure a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// Name of the gauge.
    pub name: String,
    /// Whether the pods of the workload export it, and not something else in the namespace.
    pub of_the_pods: bool,
}

/// A resource as it is proposed, which breaks no rule.
type Object = VoiceAssistScaling;
