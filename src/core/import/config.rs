//! The configuration file of prometheus-adapter, or the ConfigMap that holds it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The part of the file that matters here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// Rules of custom.metrics.k8s.io.
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
    /// Rules of external.metrics.k8s.io.
    #[serde(default)]
    pub(super) external_rules: Vec<Rule>,
    /// Rules of metrics.k8s.io.
    #[serde(default)]
    pub(super) resource_rules: Option<BTreeMap<String, Value>>,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    #[serde(default)]
    pub(super) series_query: String,
    #[serde(default)]
    pub(super) series_filters: Vec<Filter>,
    #[serde(default)]
    pub(super) resources: Resources,
    #[serde(default)]
    pub(super) name: Name,
    #[serde(default)]
    pub(super) metrics_query: String,
    #[serde(default)]
    pub(super) label_value_replacements: Vec<Value>,
}

/// A filter on names of series.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    #[serde(default)]
    pub(super) is: String,
    #[serde(default)]
    pub(super) is_not: String,
}

/// Which labels name which objects.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resources {
    #[serde(default)]
    pub(super) template: String,
    /// By label.
    #[serde(default)]
    pub(super) overrides: BTreeMap<String, Resource>,
    pub(super) namespaced: Option<bool>,
}

/// A resource of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Resource {
    #[serde(default)]
    pub(super) group: String,
    pub(super) resource: String,
}

/// How a series' name becomes a metric's.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Name {
    #[serde(default)]
    pub(super) matches: String,
    #[serde(default, rename = "as")]
    pub(super) as_: String,
}

/// Why a document is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A field has another type than prometheus-adapter reads.
    #[error("not a configuration of prometheus-adapter: {0}")]
    Malformed(String),
    /// A ConfigMap without the file in it.
    #[error("the ConfigMap has no data")]
    EmptyConfigMap,
    /// None of the three lists is there.
    #[error("it has none of rules, externalRules and resourceRules; is it prometheus-adapter's config.yaml?")]
    NoRules,
}

/// Reads a document; `parse` turns the text inside of a ConfigMap into a document.
///
/// # Errors
/// See [`ConfigError`].
pub fn read(
    document: Value,
    parse: impl FnOnce(&str) -> Result<Value, String>,
) -> Result<Config, ConfigError> {
    let document = if document.get("kind").and_then(Value::as_str) == Some("ConfigMap") {
        let data = document.get("data").and_then(Value::as_object);
        let file = data.and_then(|data| data.get("config.yaml").or_else(|| data.values().next()));
        let text = file.and_then(Value::as_str).ok_or(ConfigError::EmptyConfigMap)?;
        parse(text).map_err(ConfigError::Malformed)?
    } else {
        document
    };
    let known = ["rules", "externalRules", "resourceRules"];
    if !known.iter().any(|field| document.get(field).is_some()) {
        return Err(ConfigError::NoRules);
    }
    serde_json::from_value(document).map_err(|error| ConfigError::Malformed(error.to_string()))
}

impl Resources {
    /// The label of a resource; the name is singular and in small letters.
    pub(super) fn label(&self, group: &str, resource: &str) -> Option<String> {
        let named = self.overrides.iter().find(|(_, one)| {
            (one.group == group || one.group.is_empty()) && singular(&one.resource) == resource
        });
        if let Some((label, _)) = named {
            return Some(label.clone());
        }
        if self.template.is_empty() {
            return None;
        }
        let compact: String = self.template.split_whitespace().collect();
        let label = compact
            .replace("<<.Group>>", &group.replace('.', "_"))
            .replace("<<.Resource>>", resource);
        Some(label).filter(|label| !label.contains("<<"))
    }

    /// Flags of the metrics server that the labels of a rule call for.
    pub(super) fn label_notes(&self) -> Vec<String> {
        let named = ["namespace", "pod"].map(|usual| (self.label("", usual), usual));
        let notes = named.into_iter().filter_map(|(label, usual)| {
            let label = label.filter(|label| label != usual)?;
            Some(format!("run vas metrics-server with --{usual}-label={label}"))
        });
        notes.collect()
    }

    /// Objects besides pods and namespaces that the overrides name.
    pub(super) fn others(&self) -> Vec<&str> {
        let resources = self.overrides.values().map(|one| singular(&one.resource));
        resources
            .filter(|name| !matches!(*name, "pod" | "namespace" | "node"))
            .collect()
    }
}

fn singular(resource: &str) -> &str {
    resource.strip_suffix('s').unwrap_or(resource)
}
