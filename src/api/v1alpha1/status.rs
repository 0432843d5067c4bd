//! What vas reports about a resource. No values of metrics: `kubectl get hpa` has those.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
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
    /// `minReplicas` of each workload's HPA in the active environment, in the order of `workloadNames`, for the printer
    /// column; `-` for one without an HPA, or whose spec breaks a rule. Entries of a schedule that are active count.
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
    /// The first change of bounds that a schedule brings, in one line for the printer column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub next_change: Option<String>,
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
    /// What the schedule makes of the bounds; absent without a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleStatus>,
    /// Pods that may be evicted at once when the workload runs at `minReplicas`, the lowest of the workload and its
    /// schedule, all of them healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruptions_allowed_at_min_replicas: Option<i32>,
    /// Pods that may be evicted at once when the workload runs at `maxReplicas`, the highest of the workload and its
    /// schedule, all of them healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruptions_allowed_at_max_replicas: Option<i32>,
    /// `ScaleTargetFound`, `ResourcesApplied`, and the HPA's `ScalingActive` and `AbleToScale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Option<Vec<Condition>>,
}

/// What the schedule of a workload makes of its bounds.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleStatus {
    /// Names of the entries that are active; absent if none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::entry_names")]
    pub active: Option<Vec<String>>,
    /// Fewest replicas that the HPA keeps at the moment.
    pub min_replicas: i32,
    /// Most replicas that the HPA allows at the moment.
    pub max_replicas: i32,
    /// The next moment at which other entries are active; absent if there is none, or none within the thousand windows
    /// that are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_change: Option<NextChange>,
}

/// The next moment at which other entries of a schedule are active. What it says of the bounds holds unless the workload
/// is suspended then.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NextChange {
    /// The moment.
    pub time: Time,
    /// Names of the entries that are active from then on; absent if none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::entry_names")]
    pub active: Option<Vec<String>>,
    /// Fewest replicas from then on.
    pub min_replicas: i32,
    /// Most replicas from then on.
    pub max_replicas: i32,
}
