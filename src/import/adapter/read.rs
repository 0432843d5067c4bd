//! Finds prometheus-adapter's configuration in a file: alone, in `ConfigMap`s, or in Helm values.

use serde_json::{Map, Value};

use super::config::Config;

/// The lists of rules. A configuration has at least one of them.
const LISTS: [&str; 3] = ["rules", "externalRules", "resourceRules"];

/// One configuration and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    /// Place of the configuration, for messages; empty if it is the whole file.
    pub(super) place: String,
    pub(super) config: Config,
}

/// The configurations of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sources {
    /// The configurations, in the order of the documents.
    pub(super) list: Vec<Source>,
    /// Notes about rules that the documents refer to but do not contain.
    pub(super) elsewhere: Vec<String>,
}

/// Why a file has no configuration that can be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A field does not have the type that prometheus-adapter expects.
    #[error("{place}not a configuration of prometheus-adapter: {words}")]
    Malformed {
        /// Place of the configuration, followed by a colon; empty if it is the whole file.
        place: String,
        /// The message of the parser.
        words: String,
    },
    /// The file has a `ConfigMap` without a configuration in it.
    #[error(
        "the ConfigMap has no configuration in its data: it is a text with rules, externalRules or resourceRules"
    )]
    EmptyConfigMap,
    /// No document of the file looks like a configuration.
    #[error(
        "no document has any of rules, externalRules and resourceRules; is it prometheus-adapter's config.yaml, \
         the ConfigMap that holds it, or the values of its Helm chart?"
    )]
    NoRules,
}

/// Reads all documents. `parse` parses the text inside a `ConfigMap`.
///
/// # Errors
/// See [`ConfigError`].
pub fn read(
    documents: &[Value],
    parse: impl Fn(&str) -> Result<Value, String>,
) -> Result<Sources, ConfigError> {
    let mut sources = Sources::default();
    let mut maps = false;
    for document in documents {
        match document.get("kind").and_then(Value::as_str) {
            Some("ConfigMap") => {
                maps = true;
                config_map(document, &parse, &mut sources)?;
            }
            Some(_) => {}
            None => plain(document, &mut sources)?,
        }
    }
    match (sources.list.is_empty() && sources.elsewhere.is_empty(), maps) {
        (false, _) => Ok(sources),
        (true, true) => Err(ConfigError::EmptyConfigMap),
        (true, false) => Err(ConfigError::NoRules),
    }
}

/// Reads every text of a `ConfigMap` that has rules. Other texts are passed over, so they may be anything.
fn config_map(
    map: &Value,
    parse: &impl Fn(&str) -> Result<Value, String>,
    sources: &mut Sources,
) -> Result<(), ConfigError> {
    let name = map
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let texts = map.get("data").and_then(Value::as_object);
    let only = texts.is_some_and(|texts| texts.len() == 1);
    for (key, text) in texts.into_iter().flatten() {
        let Some(text) = text.as_str() else { continue };
        let place = format!("ConfigMap {name}, {key}: ");
        match parse(text) {
            Ok(document) if has_lists(&document) => {
                let config = parsed(&document, &place)?;
                sources.list.push(Source { place, config });
            }
            Err(words) if only || key == "config.yaml" => {
                return Err(ConfigError::Malformed { place, words });
            }
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// Reads a document without a kind: `config.yaml` itself, or Helm values.
fn plain(document: &Value, sources: &mut Sources) -> Result<(), ConfigError> {
    if let Some(Value::Object(rules)) = document.get("rules") {
        return helm(rules, sources);
    }
    if has_lists(document) {
        let config = parsed(document, "")?;
        sources.list.push(Source {
            place: String::new(),
            config,
        });
        return Ok(());
    }
    // The values of a chart that contains the chart of prometheus-adapter.
    match document.pointer("/prometheus-adapter/rules") {
        Some(Value::Object(rules)) => helm(rules, sources),
        _ => Ok(()),
    }
}

/// Reads `rules` of the Helm chart's values: `custom`, `external`, `resource`, `existing` and `default`.
fn helm(rules: &Map<String, Value>, sources: &mut Sources) -> Result<(), ConfigError> {
    let list = |name: &str| rules.get(name).cloned().unwrap_or_default();
    let document = serde_json::json!({
        "rules": list("custom"), "externalRules": list("external"), "resourceRules": list("resource"),
    });
    let config = parsed(&document, "rules of Helm values: ")?;
    sources.list.push(Source {
        place: "Helm values: ".to_owned(),
        config,
    });
    if let Some(existing) = rules
        .get("existing")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
    {
        sources.elsewhere.push(format!(
            "rules.existing names ConfigMap {existing}, which takes the place of these rules: import that"
        ));
    } else if rules.get("default").and_then(Value::as_bool).unwrap_or(true) {
        sources.elsewhere.push(
            "rules.default is not false, so the chart adds rules of its own, which are not in its values: import \
             the ConfigMap of the running prometheus-adapter to have them too"
                .to_owned(),
        );
    }
    Ok(())
}

fn has_lists(document: &Value) -> bool {
    LISTS.iter().any(|field| document.get(field).is_some())
}

fn parsed(document: &Value, place: &str) -> Result<Config, ConfigError> {
    serde::Deserialize::deserialize(document).map_err(|error: serde_json::Error| ConfigError::Malformed {
        place: place.to_owned(),
        words: error.to_string(),
    })
}
