//! The output of `vas simulate sync`.

use std::fmt::Display;

use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, MetricSpec};
use schemars::JsonSchema;
use serde::Serialize;

use super::memory::Memory;
use vas_core::hpa::{self, Cause, Conditions, Counts, Outcome, Proposal};

/// The version of the output's form.
pub(super) const VERSION: u32 = 1;

/// What the controller does at one sync.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Version of this form.
    pub version: u32,
    /// Replicas before the sync.
    pub current: i32,
    /// Replicas after the sync.
    pub desired: i32,
    /// What decided that number.
    pub reason: Cause,
    /// Replicas that the metrics ask for together, before stabilization and limits. Absent if the controller does
    /// not get that far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<i32>,
    /// Replicas that later syncs reach if no value changes any more.
    pub eventually: i32,
    /// What each metric asks for alone, in the order of the HPA. Where the reason is OutOfRange or ScalingDisabled
    /// the controller reads none.
    pub metrics: Vec<MetricReport>,
    /// The conditions of the HPA after the sync.
    pub conditions: Vec<Condition>,
    /// What the controller remembers after the sync. With the ages of the next sync it is the `state` of that.
    pub state: Memory,
}

/// What one metric asks for alone.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricReport {
    /// Type of the metric, such as Pods.
    #[serde(rename = "type")]
    pub type_: String,
    /// Name of the metric or of the resource.
    pub name: String,
    /// The replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<i32>,
    /// The value divided by the target, before a value is assumed for pods without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// How the ratio led to the replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// How many pods counted, and how many did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<Counts>,
    /// Whether this metric decides.
    pub decides: bool,
    /// Why the metric asks for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A condition of the HPA. The controller's messages are not imitated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Condition {
    /// Type of the condition.
    #[serde(rename = "type")]
    pub type_: String,
    /// True or False.
    pub status: String,
    /// The reason.
    pub reason: String,
}

impl MetricReport {
    pub(super) fn new(spec: Option<&MetricSpec>) -> Self {
        let Some(spec) = spec else {
            return Self {
                type_: "Resource".to_owned(),
                name: "cpu".to_owned(),
                ..Self::default()
            };
        };
        let resource = spec.resource.as_ref().map(|source| &source.name);
        let container = spec.container_resource.as_ref().map(|source| &source.name);
        let pods = spec.pods.as_ref().map(|source| &source.metric.name);
        let object = spec.object.as_ref().map(|source| &source.metric.name);
        let external = spec.external.as_ref().map(|source| &source.metric.name);
        let name = resource.or(container).or(pods).or(object).or(external);
        Self {
            type_: spec.type_.clone(),
            name: name.cloned().unwrap_or_default(),
            ..Self::default()
        }
    }

    pub(super) fn failed(self, error: &impl Display) -> Self {
        Self {
            error: Some(error.to_string()),
            ..self
        }
    }

    pub(super) fn proposes(self, proposal: &Proposal) -> Self {
        Self {
            proposal: Some(proposal.replicas),
            ratio: Some(proposal.ratio).filter(|ratio| ratio.is_finite()),
            outcome: Some(proposal.outcome),
            pods: proposal.pods,
            ..self
        }
    }
}

/// Whether a condition of an HPA is True; `None` without it.
pub(super) fn status_of(object: &HorizontalPodAutoscaler, type_: &str) -> Option<bool> {
    let conditions = object.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|one| one.type_ == type_)?;
    Some(found.status == "True")
}

/// The conditions of an HPA after a sync that set some of them.
pub(super) fn conditions(
    object: &HorizontalPodAutoscaler,
    set: Conditions,
    scaled_to_zero: Option<bool>,
) -> Vec<Condition> {
    let before = object
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    let kept = before.into_iter().flatten().map(|one| Condition {
        type_: one.type_.clone(),
        status: one.status.clone(),
        reason: one.reason.clone().unwrap_or_default(),
    });
    let mut all: Vec<Condition> = kept.collect();
    let mut put = |type_: &str, is_true: bool, reason: String| {
        let status = if is_true { "True" } else { "False" };
        let condition = Condition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason,
        };
        match all.iter_mut().find(|one| one.type_ == type_) {
            Some(old) => *old = condition,
            None => all.push(condition),
        }
    };
    let named = [
        ("AbleToScale", Some(set.able_to_scale)),
        ("ScalingActive", set.scaling_active),
        ("ScalingLimited", set.scaling_limited),
    ];
    for (type_, condition) in named {
        if let Some(hpa::Condition { is_true, reason }) = condition {
            put(type_, is_true, format!("{reason:?}"));
        }
    }
    match scaled_to_zero {
        Some(true) => put("ScaledToZero", true, "ScaledToZero".to_owned()),
        Some(false) => put("ScaledToZero", false, "NotScaledToZero".to_owned()),
        None => all.retain(|one| one.type_ != "ScaledToZero"),
    }
    all
}
