//! What vas reports about a resource. No values of metrics: `kubectl get hpa` has those.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// State of the resource, as the operator and the metrics server last observed it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct VoiceAssistScalingStatus {
    /// The generation of the spec to which this status belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The environment that is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub environment: Option<String>,
    /// The scaled workloads in one line, for the printer column: a column shows only the first item of a
    /// list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1100))]
    pub workload_names: Option<String>,
    /// `minReplicas` of each workload in the active environment, in the order of `workloadNames`, for the printer column; `-`
    /// for one without an HPA, or whose spec breaks a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub min_replicas: Option<String>,
    /// `maxReplicas` of each workload, in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub max_replicas: Option<String>,
    /// The replicas of each workload as its HPA last counted them, in the same way; `-` until the HPA has reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub replicas: Option<String>,
    /// The workloads that do not scale because somebody suspended them, and until when, in one line for the printer
    /// column. The condition `Suspended` says by whom and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1100))]
    pub suspended: Option<String>,
    /// `Ready` sums up `SpecValid`, `ScaleTargetFound`, `ResourcesApplied`, `MetricsAvailable` and the
    /// HPAs' own conditions; `QuotaSufficient` is a warning beside it, and `Suspended` says what does not scale because
    /// somebody suspended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Option<Vec<Condition>>,
    /// The observed state of each workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub workloads: Option<Vec<WorkloadStatus>>,
}

/// Observed state of one workload.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadStatus {
    /// Name of the workload.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Pods that may be evicted at once when the workload runs at `minReplicas`, all of them healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruptions_allowed_at_min_replicas: Option<i32>,
    /// Pods that may be evicted at once when the workload runs at `maxReplicas`, all of them healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruptions_allowed_at_max_replicas: Option<i32>,
    /// `ScaleTargetFound`, `ResourcesApplied`, and the HPA's `ScalingActive` and `AbleToScale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Option<Vec<Condition>>,
}
