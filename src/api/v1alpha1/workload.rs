//! One workload: what it targets and how it scales.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    behavior::Behavior, disruption::Disruption, metric::Metric, rules, schedule::Schedule, vertical::Vertical,
};
use crate::schema;

/// One workload: scaled by an HPA, sized by a VPA, protected by a PodDisruptionBudget, or several of these.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::HPA_WHOLE)
        .message("metrics and maxReplicas go together: an HPA needs both; without them the workload has no HPA, and minReplicas and behavior mean nothing")
        .field_path(".metrics"),
    validation = Rule::new(rules::SOMETHING_TO_DO)
        .message("a workload needs metrics with maxReplicas (an HPA), vertical (a VPA) or disruption (a PodDisruptionBudget)"),
    validation = Rule::new(rules::MIN_TO_MAX)
        .message("minReplicas must not be greater than maxReplicas")
        .field_path(".minReplicas"),
    validation = Rule::new(rules::SCHEDULES_NEED_METRICS)
        .message("schedules change the bounds of the HPA, so they need metrics")
        .field_path(".schedules"),
    validation = Rule::new(rules::EVERY_ENTRY_WHOLE)
        .message(Message::Expression(rules::ENTRY_NOT_WHOLE.into()))
        .field_path(".schedules"),
    validation = Rule::new(rules::PAIRS_MIN_TO_MAX)
        .message(Message::Expression(rules::PAIR_MIN_ABOVE_MAX.into()))
        .field_path(".schedules"),
    validation = Rule::new(rules::EVERY_METRIC_HAS_A_SOURCE)
        .message(Message::Expression(rules::METRIC_WITHOUT_SOURCE.into()))
        .field_path(".metrics"),
    validation = Rule::new(rules::ONE_METRIC_ENABLED)
        .message("at least one metric must be enabled; to hold the replicas use suspend: true")
        .field_path(".metrics"),
    validation = Rule::new(rules::HPA_OR_VPA)
        .message("the HPA scales on a resource that the VPA sizes: they would work against each other; set vertical.updateMode to \"Off\", or leave the resource out of controlledResources of every container (* included), or scale on another metric")
        .field_path(".vertical"),
    validation = Rule::new(rules::MIN_AVAILABLE_BELOW_MIN_REPLICAS)
        .message("disruption.minAvailable must leave at least one of minReplicas to evict, or no node could ever be drained; lower it, raise minReplicas or use maxUnavailable")
        .field_path(".disruption"),
    validation = Rule::new(rules::ZERO_NEEDS_OBJECT_METRIC)
        .message("minReplicas 0 needs a queueDepth, queueAge or prometheus metric: the others have no value without pods, so it would never come back from zero")
        .field_path(".minReplicas"),
    validation = Rule::new(rules::ZERO_NEEDS_A_WAY_UP)
        .message("with minReplicas 0, behavior.scaleUp needs selectPolicy Max and a policy of type Pods: a percentage of zero pods is zero, so it would never leave zero")
        .field_path(".behavior")
)]
pub struct Workload {
    /// Name of the workload, unique in the resource. Children are named `<resource>-<workload>`.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = schema::NAME_PATTERN)
    )]
    pub name: String,
    /// What is scaled: anything with a `scale` subresource.
    pub scale_target_ref: ScaleTargetRef,
    /// Fewest replicas. Default 1. 0 needs a queue or prometheus metric to come back from zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub min_replicas: Option<i32>,
    /// Most replicas. Needed with `metrics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_replicas: Option<i32>,
    /// Windows of the calendar in which other bounds count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub schedules: Option<Vec<Schedule>>,
    /// `true` freezes the workload: the HPA follows no metric in either direction and the VPA only recommends.
    /// A count outside the widest bounds of the workload and its schedule is still moved to the nearer bound.
    /// For incidents, adoption, and tests that hold replicas. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// The metrics that the workload scales on. The HPA computes a replica count from each metric and takes
    /// the largest. Left out, the workload has no HPA, only what `vertical` and `disruption` ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub metrics: Option<Vec<Metric>>,
    /// How fast the workload may scale. A field that is left out gets the Kubernetes default, written out in
    /// the HPA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behavior: Option<Behavior>,
    /// Vertical sizing by a VerticalPodAutoscaler, where the cluster has one. Never on a resource that the
    /// HPA scales on, unless it only recommends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertical: Option<Vertical>,
    /// Protection from node drains and evictions by a PodDisruptionBudget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruption: Option<Disruption>,
}

/// Reference to an object with a `scale` subresource, in the namespace of the resource. Unlike elsewhere the
/// defaults are in the schema, so that they are stored: which object is scaled must show in the resource itself.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct ScaleTargetRef {
    /// API group and version. Default `apps/v1`.
    #[serde(default = "apps_v1")]
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = schema::API_VERSION_PATTERN)
    )]
    pub api_version: String,
    /// Kind. Default `Deployment`.
    #[serde(default = "deployment")]
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::KIND_PATTERN))]
    pub kind: String,
    /// Name of the object.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = schema::OBJECT_NAME_PATTERN)
    )]
    pub name: String,
}

fn apps_v1() -> String {
    "apps/v1".to_owned()
}

fn deployment() -> String {
    "Deployment".to_owned()
}
