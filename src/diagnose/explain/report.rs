//! The output of `vas explain` in its JSON form. The command line makes the text form of it.

use jiff::Timestamp;
use serde::Serialize;

use vas_core::hpa::{Cause, Counts, Outcome};

/// The explanation of one resource.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Namespace of the resource.
    pub namespace: String,
    /// Name of the resource.
    pub name: String,
    /// The active environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The conditions that are not True, without `Ready`, which summarizes them.
    pub conditions: Vec<ConditionLine>,
    /// Remarks about the resource.
    pub notes: Vec<String>,
    /// The workloads, in the order of the spec.
    pub workloads: Vec<WorkloadReport>,
}

/// A condition of the resource or of the HPA.
#[derive(Clone, Debug, Serialize)]
pub struct ConditionLine {
    /// Type of the condition.
    #[serde(rename = "type")]
    pub type_: String,
    /// True, False or Unknown.
    pub status: String,
    /// The reason, as one word for programs.
    pub reason: String,
    /// The message for people.
    pub message: String,
}

/// The explanation of one workload.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadReport {
    /// Name of the workload.
    pub name: String,
    /// The scale target, as `Deployment/worker`.
    pub target: String,
    /// The HPA of the workload.
    pub hpa: HpaReport,
    /// The numbers of replicas; absent if the scale subresource or the HPA cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<Replicas>,
    /// What the schedule makes of the bounds, until when; absent without a schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Whether the spec or an annotation suspends the workload.
    pub suspended: bool,
    /// The metrics, in the order of the HPA.
    pub metrics: Vec<MetricReport>,
    /// The limits for scaling up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_up: Option<DirectionReport>,
    /// The limits for scaling down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_down: Option<DirectionReport>,
    /// What the HPA does at its next sync; absent if `replicas` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionReport>,
    /// Remarks about the workload.
    pub notes: Vec<String>,
    /// The explanation in one sentence.
    pub summary: String,
}

/// The HPA of a workload.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HpaReport {
    /// Name of the HPA.
    pub name: String,
    /// Whether the HPA exists. If not, the HPA that the operator would write is explained.
    pub exists: bool,
    /// When the HPA last changed the replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_scale_time: Option<Timestamp>,
    /// The conditions of the HPA.
    pub conditions: Vec<ConditionLine>,
}

/// The numbers of replicas of a workload.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Replicas {
    /// `spec.replicas` of the target.
    pub current: i32,
    /// `status.replicas` of the target.
    pub status: i32,
    /// Pods that are Running and Ready.
    pub ready: usize,
    /// The smallest number of replicas (`minReplicas`).
    pub min: i32,
    /// The largest number of replicas (`maxReplicas`).
    pub max: i32,
}

/// The explanation of one metric.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricReport {
    /// Name of the metric in the resource.
    pub name: String,
    /// Type of the metric in the HPA, such as `Pods`.
    #[serde(rename = "type")]
    pub type_: String,
    /// The API from which the HPA reads the metric, such as `custom.metrics.k8s.io`.
    pub api: &'static str,
    /// The query to Prometheus; absent for metrics of CPU and memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The value, in the unit of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The target of the metric.
    pub target: String,
    /// The value divided by the target. Above 1 the metric asks for more replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// The time of the oldest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampled: Option<Timestamp>,
    /// The age of the oldest value, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<i64>,
    /// How many pods counted, and how many did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<Counts>,
    /// The replicas that the metric proposes alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<i32>,
    /// How the value led to the proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Whether this metric decides.
    pub decides: bool,
    /// Why the metric proposes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The limits for scaling in one direction.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectionReport {
    /// Stabilization window in seconds.
    pub stabilization_window_seconds: i32,
    /// The policies as text.
    pub policies: String,
    /// The most, or fewest, replicas that the next sync may set, if the HPA did not rescale within the
    /// periods of its policies.
    pub limit: i32,
}

/// What the HPA does at its next sync.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionReport {
    /// Replicas after the next sync.
    pub desired: i32,
    /// Why the next sync sets this number.
    pub cause: Cause,
    /// The replicas that the metrics ask for together, before limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<i32>,
    /// Name of the metric that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The replicas that the HPA reaches if no value changes any more.
    pub eventually: i32,
    /// Whether `desired` is certain. It is not if it depends on the controller's memory, which cannot be
    /// read.
    pub exact: bool,
}
