//! `vas explain` without its I/O: explains from what was read of a cluster why each workload has its
//! replicas.
//!
//! ```text
//! run      from the name of a resource to its explanation, with all I/O of read
//! ask      the resource -> its workloads, and the HPA of each
//! memory   the HPA's status -> possible memories of the controller, and its next sync
//! metric   a metric of an HPA -> its entry in the resource, its query, its proposal
//! judge    one workload: proposals, decision, limits
//! words    amounts and the summary as text
//! report   the types of the output, and their JSON form
//! ```
//!
//! The algorithm is [`vas_core::hpa`]. Must not: read the cluster, or lay out text.

mod ask;
mod judge;
mod memory;
mod metric;
pub mod read;
mod report;
pub mod run;
mod words;

#[cfg(test)]
mod tests;

use k8s_openapi::api::{
    autoscaling::{v1::Scale, v2::HorizontalPodAutoscaler},
    core::v1::Pod,
};
use serde_json::Value;

use vas_api::v1alpha1::VoiceAssistScaling;
use vas_core::{
    hpa::{Controller, metric_question::Unanswered},
    k8s::resource_ref::ResourceRef,
    metrics::promql::{Labels, Sources},
};

pub use ask::{Asked, asked, hpa_of};
pub use judge::explain;
pub use report::{
    ConditionLine, DecisionReport, DirectionReport, Explanation, HpaReport, MetricReport, Replicas,
    WorkloadReport,
};

/// The result of a read, or the server's message.
pub type Read<T> = Result<T, String>;

/// Everything that was read about one resource.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The resource that the observations are about.
    pub resource: ResourceRef,
    /// The resource as the API server returned it.
    pub object: VoiceAssistScaling,
    /// The workloads of the resource, in the order of the spec.
    pub workloads: Vec<ObservedWorkload>,
}

/// Everything that was read about one workload.
#[derive(Clone, Debug)]
pub struct ObservedWorkload {
    /// The workload as the spec describes it, and the questions of its HPA.
    pub asked: Asked,
    /// The HPA of the workload; `None` if it does not exist.
    pub hpa: Read<Option<HorizontalPodAutoscaler>>,
    /// The scale subresource of the target.
    pub scale: Read<Scale>,
    /// The pods that the target's selector selects.
    pub pods: Read<Vec<Pod>>,
    /// Answers to the [`questions`](vas_core::hpa::metric_question::questions) about the HPA, in their order.
    pub answers: Vec<Result<Value, Unanswered>>,
}

/// The Prometheus servers, as in the settings of the metrics server.
#[derive(Clone, Debug)]
pub enum Servers {
    /// A single server with these labels. The name in the resources does not matter.
    One(Labels),
    /// The servers of a configuration file.
    Named(Sources),
}

/// Settings that cannot be read from the cluster.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Prometheus servers.
    pub prometheus: Servers,
    /// The flags of kube-controller-manager for the HPA controller.
    pub controller: Controller,
}
