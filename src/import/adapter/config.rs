//! The configuration file of prometheus-adapter as it is written, empty fields included.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The part of the file that matters here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    /// Rules of custom.metrics.k8s.io.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) rules: Vec<Rule>,
    /// Rules of external.metrics.k8s.io.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) external_rules: Vec<Rule>,
    /// Rules of metrics.k8s.io.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) resource_rules: BTreeMap<String, Value>,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) series_query: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) series_filters: Vec<Filter>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) resources: Resources,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: Name,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) metrics_query: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) label_value_replacements: Vec<Value>,
}

/// A filter on names of series.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) is: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) is_not: String,
}

/// Which labels name which objects.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resources {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) template: String,
    /// By label.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) overrides: BTreeMap<String, Resource>,
    pub(super) namespaced: Option<bool>,
}

/// A resource of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Resource {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) group: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) resource: String,
}

/// How a series' name becomes a metric's.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Name {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) matches: String,
    #[serde(default, rename = "as", deserialize_with = "or_default")]
    pub(super) as_: String,
}

/// A field without a value is one that is left out.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}
