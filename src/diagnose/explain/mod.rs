//! `vas explain`, without its I/O: from what was read of a cluster to why each workload has the replicas it has.
//!
//! ```text
//! ask      the resource -> its workloads, and the HPA that counts for each
//! answer   their answers -> readings
//! memory   the HPA's status -> what is known of the controller's memory
//! metric   a metric of an HPA -> its entry in the resource, its query
//! judge    one workload: proposals, decision, limits
//! words    amounts and the sentence at the end
//! report   what is printed, and its JSON form
//! ```
//!
//! The algorithm is [`crate::core::hpa`]. Must not: read the cluster, or lay out text.

mod answer;
mod ask;
mod judge;
mod memory;
mod metric;
pub mod read;
mod report;
mod words;

#[cfg(test)]
mod tests;

use k8s_openapi::api::{
    autoscaling::{v1::Scale, v2::HorizontalPodAutoscaler},
    core::v1::Pod,
};
use serde_json::Value;

use crate::{
    api::v1alpha1::VoiceAssistScaling,
    core::{
        hpa::{Controller, metric_question::Unanswered},
        metrics::promql::{Labels, Sources},
    },
};

pub use ask::{Asked, asked, hpa_of};
pub use judge::explain;
pub use report::{
    ConditionLine, DecisionReport, DirectionReport, Explanation, HpaReport, MetricReport, Replicas,
    WorkloadReport,
};

/// Something that was read, or the server's words.
pub type Read<T> = Result<T, String>;

/// All that was read.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The resource.
    pub object: VoiceAssistScaling,
    /// Its workloads, in the order of the spec.
    pub workloads: Vec<ObservedWorkload>,
}

/// What was read of one workload.
#[derive(Clone, Debug)]
pub struct ObservedWorkload {
    /// The workload.
    pub asked: Asked,
    /// Its HPA; `None` if there is none.
    pub hpa: Read<Option<HorizontalPodAutoscaler>>,
    /// The scale subresource of its target.
    pub scale: Read<Scale>,
    /// The pods that the target's selector selects.
    pub pods: Read<Vec<Pod>>,
    /// Answers to the [`questions`](crate::core::hpa::metric_question::questions) about the HPA, in their order.
    pub answers: Vec<Result<Value, Unanswered>>,
}

/// The Prometheus servers, as the metrics server is told.
#[derive(Clone, Debug)]
pub enum Servers {
    /// One, with these labels, whatever the resources call it.
    One(Labels),
    /// Those of a configuration file.
    Named(Sources),
}

/// What cannot be read from the cluster.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Prometheus, as the metrics server is told.
    pub prometheus: Servers,
    /// Flags of the controller manager.
    pub controller: Controller,
}
