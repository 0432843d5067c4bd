//! The PodDisruptionBudget of a workload.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules;
use crate::schema;

/// How many pods a voluntary disruption (node drain, eviction) may take. Becomes a
/// PodDisruptionBudget. Exactly one of `minAvailable` and `maxUnavailable`, unless `enabled` is false.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::ONE_BOUND)
        .message("exactly one of minAvailable and maxUnavailable is needed"),
    validation = Rule::new(rules::MAX_UNAVAILABLE_POSITIVE)
        .message("maxUnavailable 0 blocks every eviction and node drain; use at least 1")
        .field_path(".maxUnavailable")
)]
pub struct Disruption {
    /// `false` in an environment switches the base's PodDisruptionBudget off. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Pods that must stay: a count, or a percentage rounded up. Must stay below `minReplicas`, or no
    /// node could ever be drained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::int_or_percent")]
    pub min_available: Option<IntOrString>,
    /// Pods that may be unavailable: a count, or a percentage rounded up. Works at every replica count, so
    /// prefer it with an HPA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::int_or_percent")]
    pub max_unavailable: Option<IntOrString>,
    /// Whether pods that run and are not Ready may be evicted while the budget allows no disruption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unhealthy_pod_eviction_policy: Option<UnhealthyPodEvictionPolicy>,
}

/// Which pods that are not Ready may be evicted. `AlwaysAllow` (default): all of them, so that a crashing
/// workload never holds up a node drain. `IfHealthyBudget`: only while as many pods are Ready as the budget
/// requires. Use it for pods that hold data and must not be evicted before they are Ready again.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum UnhealthyPodEvictionPolicy {
    /// At any time.
    #[default]
    AlwaysAllow,
    /// While the budget is met.
    IfHealthyBudget,
}
