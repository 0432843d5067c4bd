//! The resource itself: `VoiceAssistScaling` and the rules that span workloads and environments.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{
    environment::Environment, limits::Limits, rules, status::VoiceAssistScalingStatus, workload::Workload,
};

/// How the workloads of one VoiceAssist installation scale.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "scaling.voiceassist.io",
    version = "v1alpha1",
    kind = "VoiceAssistScaling",
    plural = "voiceassistscalings",
    shortname = "vas",
    category = "autoscaling",
    namespaced,
    status = "VoiceAssistScalingStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "VoiceAssistScaling keeps the HorizontalPodAutoscalers, VerticalPodAutoscalers, PodDisruptionBudgets and resource limits of a VoiceAssist installation consistent, with one set of values per environment.",
    validation = Rule::new("self.metadata.name.size() <= 63").message("metadata.name must be at most 63 characters: it becomes a label value"),
    printcolumn = r#"{"name":"Environment","type":"string","jsonPath":".spec.environment","description":"The active environment"}"#,
    printcolumn = r#"{"name":"Workloads","type":"string","jsonPath":".status.workloadNames","description":"The scaled workloads"}"#,
    printcolumn = r#"{"name":"Min","type":"string","jsonPath":".status.minReplicas","description":"minReplicas of each workload"}"#,
    printcolumn = r#"{"name":"Max","type":"string","jsonPath":".status.maxReplicas","description":"maxReplicas of each workload"}"#,
    printcolumn = r#"{"name":"Replicas","type":"string","jsonPath":".status.replicas","description":"The replicas of each workload, as its HPA last counted them"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status","description":"Whether everything works"}"#,
    printcolumn = r#"{"name":"Suspended","type":"string","jsonPath":".status.suspended","description":"The workloads that somebody suspended, and until when"}"#,
    printcolumn = r#"{"name":"Next Change","type":"string","jsonPath":".status.nextChange","description":"The first change of bounds that a schedule brings"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason","priority":1,"description":"Why"}"#,
    printcolumn = r#"{"name":"Suspended By","type":"string","jsonPath":".status.conditions[?(@.type==\"Suspended\")].message","priority":1,"description":"By whom, and why"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::ENVIRONMENT_EXISTS)
        .message(Message::Expression("'environment ' + self.environment + ' is not in spec.environments'".into()))
        .field_path(".environment"),
    validation = Rule::new(rules::OVERRIDES_EXIST)
        .message("an environment overrides a workload that spec.workloads does not have")
        .field_path(".environments"),
    validation = Rule::new(rules::ONE_WORKLOAD_PER_TARGET)
        .message("two workloads have the same scaleTargetRef; their HPAs would disable each other")
        .field_path(".workloads"),
    validation = Rule::new(rules::MERGED_MIN_TO_MAX)
        .message("an environment leaves a workload with minReplicas greater than maxReplicas")
        .field_path(".environments"),
    validation = Rule::new(rules::QUOTA_NEEDS_DEFAULT)
        .message("a quota on cpu or memory makes every container name it; add limits.limitRange.defaultRequest (for requests) or limits.limitRange.default (for limits) for those that do not")
        .field_path(".limits")
)]
pub struct VoiceAssistScalingSpec {
    /// Which entry of `environments` applies. If it is left out, only the base values apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub environment: Option<String>,
    /// `true` freezes every workload: no HPA follows a metric, every VPA only recommends. A count outside
    /// `minReplicas` and `maxReplicas` is still moved to the nearer bound. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// The workloads to scale, and how each scales.
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub workloads: Vec<Workload>,
    /// A LimitRange and a ResourceQuota for the whole namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Changes to the values above, one set per environment. All of them are checked, not only the active
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub environments: Option<Vec<Environment>>,
}
