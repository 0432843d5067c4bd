//! Per-environment overrides of the base values.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{
    behavior::Behavior, disruption::Disruption, limits::Limits, metric::Metric, schedule::Schedule,
    vertical::Vertical,
};
use crate::schema;

/// One environment's changes to the base values. A scalar replaces that of the base. `workloads`, `metrics` and
/// `schedules` are merged by name. A metric's source, `policies`, `vertical`, `disruption` and the parts of
/// `limits` are replaced as a whole.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// Name of the environment, selected by `spec.environment`.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = schema::NAME_PATTERN)
    )]
    pub name: String,
    /// Replaces the base's `suspend`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// Changes to workloads of the base, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub workloads: Option<Vec<WorkloadOverride>>,
    /// Replaces parts of the base's limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// Changes to one workload. The scale target cannot change between environments.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas")
        .message("minReplicas must not be greater than maxReplicas")
        .field_path(".minReplicas")
)]
pub struct WorkloadOverride {
    /// Name of a workload of the base.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = schema::NAME_PATTERN)
    )]
    pub name: String,
    /// Replaces the workload's `minReplicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub min_replicas: Option<i32>,
    /// Replaces the workload's `maxReplicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_replicas: Option<i32>,
    /// Entries of the schedule to change or add, by name. An entry without `schedule` and `at` keeps the base's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub schedules: Option<Vec<Schedule>>,
    /// Replaces the workload's `suspend`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// Metrics to change or add, by name. An entry without a source keeps the base's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub metrics: Option<Vec<Metric>>,
    /// Replaces fields of the base's behavior. `policies` is replaced as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behavior: Option<Behavior>,
    /// Replaces the base's `vertical` as a whole. `enabled: false` switches it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertical: Option<Vertical>,
    /// Replaces the base's `disruption` as a whole. `enabled: false` switches it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruption: Option<Disruption>,
}
