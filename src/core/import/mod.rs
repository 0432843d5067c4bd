//! From the configuration of prometheus-adapter to `metrics` entries of a `VoiceAssistScaling`.
//!
//! ```text
//! config     the file as prometheus-adapter reads it
//! wanted     what HPAs ask of it: names, targets, objects, selectors
//! template   Go templates of queries, rendered with markers
//! query      a rendered query -> what it asks, by its syntax tree
//! rule       a rule, and an HPA's metric if one is given -> an entry, or why there is none
//! ```
//!
//! Nothing is guessed: what would mean something else here is refused with a reason. Must not: read files, or
//! ask Prometheus which series exist.

mod config;
mod name;
mod query;
mod rule;
mod template;
#[cfg(test)]
mod tests;
mod wanted;

use crate::api::v1alpha1::Metric;

pub use config::{Config, ConfigError, read};
pub use wanted::{Wanted, wanted};

/// What became of a configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    /// Entries, in the order of the rules.
    pub entries: Vec<Entry>,
    /// What has no entry.
    pub refused: Vec<Refused>,
    /// What else has to be done.
    pub notes: Vec<String>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where it comes from, and what is left to do: comments above it.
    pub comments: Vec<String>,
    /// The entry. A target that is not known is `0`, which no rule accepts.
    pub metric: Metric,
    /// Whether the target is known.
    pub has_target: bool,
}

/// A rule that became no entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the file: `rules[2]`.
    pub field: String,
    /// The series it is about.
    pub series: String,
    /// Why, and what helps.
    pub why: String,
}

/// Converts a configuration; `wanted` are the metrics of existing HPAs, none if none were given.
#[must_use]
pub fn convert(config: &Config, wanted: &[Wanted]) -> Import {
    let mut import = Import::default();
    for (position, rule) in config.rules.iter().enumerate() {
        rule::convert(rule, &format!("rules[{position}]"), false, wanted, &mut import);
    }
    for (position, rule) in config.external_rules.iter().enumerate() {
        rule::convert(
            rule,
            &format!("externalRules[{position}]"),
            true,
            wanted,
            &mut import,
        );
    }
    for resource in config.resource_rules.iter().flat_map(|rules| rules.keys()) {
        if resource == "window" {
            continue;
        }
        import.refused.push(Refused {
            field: format!("resourceRules.{resource}"),
            series: resource.clone(),
            why: "vas does not serve metrics.k8s.io: install the Kubernetes metrics-server, and scale on \
                  resource: {name: cpu} or {name: memory}"
                .to_owned(),
        });
    }
    distinguish(&mut import.entries);
    import.notes.sort();
    import.notes.dedup();
    import
}

/// Names are unique in a workload: equal ones get a number.
fn distinguish(entries: &mut [Entry]) {
    let mut seen: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for entry in entries {
        let count = seen.entry(entry.metric.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            entry.metric.name = format!("{}-{count}", entry.metric.name);
        }
    }
}
