//! How fast the HPA may move: the words and bounds of HPA v2 `behavior`.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// How fast the HPA may scale in each direction. A direction or field that is left out gets the
/// Kubernetes default, written out in the HPA.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Behavior {
    /// Rules for adding replicas. Default: no stabilization, the larger of 4 pods and 100 % per 15 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_up: Option<ScalingRules>,
    /// Rules for removing replicas. Default: 300 s stabilization, then 100 % per 15 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_down: Option<ScalingRules>,
}

/// Rules for one direction.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ScalingRules {
    /// Seconds to look back over earlier proposals before moving, 0 to 3600. Going down, the highest
    /// proposal of the window wins; going up, the lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3600))]
    pub stabilization_window_seconds: Option<i32>,
    /// Limits on the change per period. In an environment this list replaces the base's list as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub policies: Option<Vec<ScalingPolicy>>,
    /// Which policy counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select_policy: Option<SelectPolicy>,
    /// Deviation from the target that is ignored, as a fraction (`"0.05"` is 5 %). Default: the
    /// cluster's, usually `0.1`. Needs Kubernetes 1.35 or newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub tolerance: Option<Quantity>,
}

/// One limit on the change per period.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ScalingPolicy {
    /// `Pods`: a number of pods; `Percent`: a share of the replicas at the start of the period.
    #[serde(rename = "type")]
    pub type_: PolicyType,
    /// The amount, in pods or percent.
    #[schemars(range(min = 1, max = 10_000))]
    pub value: i32,
    /// Length of the period in seconds, 1 to 1800.
    #[schemars(range(min = 1, max = 1800))]
    pub period_seconds: i32,
}

/// Unit of a policy's value.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum PolicyType {
    /// A number of pods.
    Pods,
    /// Percent of the replicas at the start of the period.
    Percent,
}

/// Which policy counts: `Max` allows the largest change (default), `Min` the smallest, `Disabled` forbids
/// this direction.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum SelectPolicy {
    /// The largest allowed change.
    Max,
    /// The smallest allowed change.
    Min,
    /// No change in this direction.
    Disabled,
}
