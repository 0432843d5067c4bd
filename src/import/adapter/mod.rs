//! Converts the configuration of prometheus-adapter into `metrics` entries of a `VoiceAssistScaling`.
//!
//! ```text
//! read        finds the rules in the documents    config     a rule as it is written
//! wanted      the metrics that HPAs read          resources  which label names which object
//! candidates  a metric's name -> the series of a rule, with naming backwards and forwards
//! template    renders a query's Go template for one request
//! bound       checks that a query stays in its namespace and contradicts nothing
//! subject     the object that an HPA reads a metric of, and the matchers of that request
//! sent_query  the query of that request
//! rule        a case: a rule, a series and an HPA's metric -> an entry (pods, total), or why there is none
//! choice      several rules for one metric -> one entry and its alternatives
//! ```
//!
//! Invariants: an entry never means something else than the rule, because a refusal is better than a wrong
//! entry. Each metric of an HPA gets at most one entry, because a second one without values would keep the
//! HPA from scaling down. Every guess is marked as one. Must not: read files, or ask Prometheus which series
//! exist.

mod bound;
mod candidates;
mod case;
mod choice;
mod config;
mod hpa_metric;
mod labels;
mod naming;
mod pods;
mod read;
mod resources;
mod rule;
mod sent_query;
mod subject;
mod target;
mod template;
#[cfg(test)]
mod tests;
mod total;

use crate::Refused;
use vas_api::v1alpha1::Metric;

pub use hpa_metric::{HpaMetric, wanted};
pub use read::{ConfigError, Sources, read};

/// The result of importing a configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    /// The entries. Those of one HPA follow each other.
    pub entries: Vec<Entry>,
    /// Rules and metrics without an entry.
    pub refused: Vec<Refused>,
    /// What the user has to do besides adding the entries.
    pub notes: Vec<String>,
    /// Places of the rules that serve no metric of the given HPAs, such as `rules[2]`.
    pub unused: Vec<String>,
}

/// One entry of `metrics`, with its comments and alternatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The HPA that reads the metric, if HPAs were given.
    pub hpa: Option<String>,
    /// The comments above the entry: the rule that it comes from, and what is left to do.
    pub comments: Vec<String>,
    /// The entry. An unknown target is `0`, which `vas validate` does not accept.
    pub metric: Metric,
    /// Whether the target is known.
    pub has_target: bool,
    /// Other rules that may serve the metric instead.
    pub alternatives: Vec<Alternative>,
}

/// Another rule that could serve a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// Place of the rule in the file: `rules[2]`.
    pub field: String,
    /// The series that the rule would read.
    pub series: String,
    /// The entry that the rule would give, or why it would give none.
    pub metric: Result<Box<Metric>, String>,
}

/// Converts configurations. `wanted` are the metrics of existing HPAs; `None` if no HPAs were given.
#[must_use]
pub fn convert(sources: &Sources, wanted: Option<&[HpaMetric]>) -> Import {
    let mut import = Import::default();
    let rules = choice::rules(sources);
    match wanted {
        Some(wanted) => choice::for_hpas(&rules, wanted, &sources.elsewhere, &mut import),
        None => choice::for_all(&rules, &mut import),
    }
    for source in &sources.list {
        for resource in source.config.resource_rules.keys().filter(|key| *key != "window") {
            import.refused.push(Refused {
                field: format!("{}resourceRules.{resource}", source.place),
                series: resource.clone(),
                why:
                    "vas does not serve metrics.k8s.io: install the Kubernetes metrics-server, and scale on \
                      resource: {name: cpu} or {name: memory}"
                        .to_owned(),
            });
        }
    }
    import.notes.extend(sources.elsewhere.iter().cloned());
    import
}
