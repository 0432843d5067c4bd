//! What `vas explain` says, in its JSON form. The text form is laid out by the command.

use jiff::Timestamp;
use serde::Serialize;

use crate::core::hpa::{Cause, Counts, Outcome};

/// One resource.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its active environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Its conditions that are not True, but for `Ready`, which sums them up.
    pub conditions: Vec<ConditionLine>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// Its workloads, in the order of the spec.
    pub workloads: Vec<WorkloadReport>,
}

/// A condition.
#[derive(Clone, Debug, Serialize)]
pub struct ConditionLine {
    /// Type.
    #[serde(rename = "type")]
    pub type_: String,
    /// True, False or Unknown.
    pub status: String,
    /// Reason.
    pub reason: String,
    /// Message.
    pub message: String,
}

/// One workload.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadReport {
    /// Its name.
    pub name: String,
    /// What it scales, as `Deployment/worker`.
    pub target: String,
    /// Its HPA.
    pub hpa: HpaReport,
    /// Its counts; absent if the scale subresource or the HPA cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<Replicas>,
    /// Whether the spec or an annotation suspends it.
    pub suspended: bool,
    /// Its metrics, in the order of the HPA.
    pub metrics: Vec<MetricReport>,
    /// Limits on the way up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_up: Option<DirectionReport>,
    /// Limits on the way down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_down: Option<DirectionReport>,
    /// What happens next; absent if the counts are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionReport>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// All of it in one sentence.
    pub summary: String,
}

/// An HPA.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HpaReport {
    /// Its name.
    pub name: String,
    /// Whether it exists; if not, the one that the operator would write is explained.
    pub exists: bool,
    /// When it last changed the count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_scale_time: Option<Timestamp>,
    /// What the controller says of it.
    pub conditions: Vec<ConditionLine>,
}

/// Counts.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Replicas {
    /// `spec.replicas` of the target.
    pub current: i32,
    /// `status.replicas` of the target.
    pub status: i32,
    /// Pods that are Running and Ready.
    pub ready: usize,
    /// `minReplicas`.
    pub min: i32,
    /// `maxReplicas`.
    pub max: i32,
}

/// One metric.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricReport {
    /// Its name in the resource.
    pub name: String,
    /// Type of the HPA's metric.
    #[serde(rename = "type")]
    pub type_: String,
    /// The API that the HPA reads it from.
    pub api: &'static str,
    /// The query to Prometheus, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The value, in the unit of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The target.
    pub target: String,
    /// Value over target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// When it was sampled: the oldest of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampled: Option<Timestamp>,
    /// The age of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<i64>,
    /// Which pods counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<Counts>,
    /// What it proposes alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<i32>,
    /// How the value led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Whether it decides.
    pub decides: bool,
    /// Why it proposes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Limits in one direction.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectionReport {
    /// Look-back in seconds.
    pub stabilization_window_seconds: i32,
    /// The policies in words.
    pub policies: String,
    /// How far the next sync may go, if the HPA did not rescale within the periods of its policies.
    pub limit: i32,
}

/// What happens next.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionReport {
    /// Replicas after the next sync.
    pub desired: i32,
    /// What decides that.
    pub cause: Cause,
    /// What the metrics ask for together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<i32>,
    /// The metric that asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Where the count goes if nothing but time changes.
    pub eventually: i32,
    /// Whether the controller's memory, which nobody can read, could change `desired`.
    pub exact: bool,
}
