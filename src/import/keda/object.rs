//! A `ScaledObject` as it is written.

use std::collections::BTreeMap;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscalerBehavior;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The fields of a `ScaledObject` that are imported or reported.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ScaledObject {
    pub(super) metadata: Metadata,
    pub(super) spec: Spec,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    #[serde(default, deserialize_with = "texts")]
    pub(super) annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec {
    pub(super) scale_target_ref: Target,
    pub(super) min_replica_count: Option<i32>,
    pub(super) max_replica_count: Option<i32>,
    pub(super) idle_replica_count: Option<i32>,
    pub(super) cooldown_period: Option<i32>,
    pub(super) initial_cooldown_period: Option<i32>,
    pub(super) fallback: Option<Value>,
    #[serde(default)]
    pub(super) advanced: Option<Advanced>,
    #[serde(default)]
    pub(super) triggers: Vec<Trigger>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    pub(super) api_version: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Advanced {
    #[serde(default)]
    pub(super) restore_to_original_replica_count: Option<bool>,
    pub(super) scaling_modifiers: Option<Value>,
    pub(super) horizontal_pod_autoscaler_config: Option<HpaConfig>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct HpaConfig {
    pub(super) behavior: Option<HorizontalPodAutoscalerBehavior>,
}

/// One trigger of a ScaledObject: the source of one metric.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trigger {
    #[serde(rename = "type")]
    pub(super) type_: String,
    pub(super) name: Option<String>,
    pub(super) metric_type: Option<String>,
    #[serde(default, deserialize_with = "texts")]
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) authentication_ref: Option<Value>,
}

impl Trigger {
    /// A text of the trigger's metadata. An empty text counts as left out.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.metadata
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }
}

/// Reads a map of texts. KEDA's texts are often written without quotes, so a number or a boolean counts as
/// its text.
fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let values: Option<BTreeMap<String, Value>> = Option::deserialize(from)?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    };
    Ok(values
        .into_iter()
        .flatten()
        .map(|(name, value)| (name, text(value)))
        .collect())
}
