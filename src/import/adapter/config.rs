//! The configuration file of prometheus-adapter. A field may be present and empty.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The part of the file that is imported.
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

/// One rule: which series to discover, how to name their metric, and how to query it.
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

/// A filter on the names of series: two regular expressions, of which an empty one is not used.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) is: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) is_not: String,
}

/// Which label of a series names which kind of object.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resources {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) template: String,
    /// The kind of object that a label names, by label.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) overrides: BTreeMap<String, Resource>,
    pub(super) namespaced: Option<bool>,
}

/// A kind of object in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Resource {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) group: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) resource: String,
}

/// How the name of a series becomes the name of a metric.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Name {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) matches: String,
    #[serde(default, rename = "as", deserialize_with = "or_default")]
    pub(super) as_: String,
}

/// Reads a field without a value as if the field were left out.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}
