//! The VerticalPodAutoscaler of a workload.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::ResourceName;
use crate::schema;

/// Vertical sizing. Becomes a VerticalPodAutoscaler where the cluster has its CRD. It must not control
/// a resource that the HPA of the same workload scales on, unless `updateMode` is `Off`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Vertical {
    /// `false` in an environment switches the base's VPA off. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How recommendations reach the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_mode: Option<UpdateMode>,
    /// Fewest live replicas at which pods may still be evicted for a resize.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub min_replicas: Option<i32>,
    /// Bounds per container; `*` stands for every container not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub containers: Option<Vec<VerticalContainer>>,
}

/// Bounds for the recommendation of one container.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct VerticalContainer {
    /// Container name, or `*` for every container without an entry.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = r"^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$")
    )]
    pub name: String,
    /// Whether the VPA sizes the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ContainerMode>,
    /// Resources the VPA sizes. If it is left out: cpu and memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub controlled_resources: Option<Vec<ResourceName>>,
    /// What the VPA changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controlled_values: Option<ControlledValues>,
    /// The smallest amount of each resource that the VPA recommends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantities")]
    pub min_allowed: Option<BTreeMap<String, Quantity>>,
    /// Largest recommendation; at most the LimitRange's `max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantities")]
    pub max_allowed: Option<BTreeMap<String, Quantity>>,
}

/// How recommendations reach the pods: `Off` only recommends (default), `Initial` sizes new pods, `Recreate`
/// also evicts, `InPlaceOrRecreate` resizes in place where it can. Upstream's `Auto` is deprecated and not
/// offered.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum UpdateMode {
    /// Only show recommendations.
    #[default]
    Off,
    /// Size pods when they are created.
    Initial,
    /// Also evict pods to resize them.
    Recreate,
    /// Resize in place, evict where that is not possible.
    InPlaceOrRecreate,
}

/// Whether the VPA sizes the container: `Auto` (default) does, `Off` leaves it alone.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum ContainerMode {
    /// The VPA sizes the container.
    Auto,
    /// The VPA leaves the container alone.
    Off,
}

/// What the VPA changes: `RequestsAndLimits` (default) keeps the ratio of both, `RequestsOnly` leaves limits
/// alone.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum ControlledValues {
    /// Requests, and limits in proportion.
    RequestsAndLimits,
    /// Requests alone; limits stay.
    RequestsOnly,
}
