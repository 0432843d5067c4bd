//! From the configuration of prometheus-adapter to `metrics` entries of a `VoiceAssistScaling`.
//!
//! ```text
//! read        the documents that hold rules       config     a rule as it is written
//! wanted      what HPAs ask of it                  resources  which label names which object
//! candidates  a metric's name -> the series of a rule, with naming backwards and forwards
//! template    a query's Go template, rendered for one request
//! bound       whether it stays in the namespace, and contradicts nothing
//! subject     what the HPA reads of it, and what its request fills in
//! rule        a rule, a series and an HPA's metric -> an entry (pods, total), or why there is none
//! choice      several rules for one metric -> one entry, and the others beside it
//! ```
//!
//! An entry that means something else is worse than a refusal, and a surplus entry without a value keeps the HPA from
//! scaling down: of each metric of an HPA there is one entry at most, and whatever in it is a guess says so. Must
//! not: read files, or ask Prometheus which series exist.

mod bound;
mod candidates;
mod choice;
mod config;
mod labels;
mod naming;
mod pods;
mod read;
mod resources;
mod rule;
mod subject;
mod target;
mod template;
#[cfg(test)]
mod tests;
mod total;
mod wanted;

use super::Refused;
use crate::api::v1alpha1::Metric;

pub use read::{ConfigError, Sources, read};
pub use wanted::{Wanted, wanted};

/// What became of a configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    /// Entries, those of one HPA together.
    pub entries: Vec<Entry>,
    /// What has no entry and was to have one.
    pub refused: Vec<Refused>,
    /// What else has to be done.
    pub notes: Vec<String>,
    /// Rules that serve no metric of the HPAs that were given, by their place.
    pub unused: Vec<String>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The HPA whose metric it is, where HPAs were given.
    pub hpa: Option<String>,
    /// Where it comes from, and what is left to do: comments above it.
    pub comments: Vec<String>,
    /// The entry. A target that is not known is `0`, which no rule accepts.
    pub metric: Metric,
    /// Whether the target is known.
    pub has_target: bool,
    /// Other rules that may be meant instead.
    pub alternatives: Vec<Alternative>,
}

/// Another rule that could serve a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// Its place in the file: `rules[2]`.
    pub field: String,
    /// The series it is about.
    pub series: String,
    /// The entry it would become, or why it would become none.
    pub metric: Result<Box<Metric>, String>,
}

/// Converts configurations; `wanted` are the metrics of existing HPAs, `None` if none were given.
#[must_use]
pub fn convert(sources: &Sources, wanted: Option<&[Wanted]>) -> Import {
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
