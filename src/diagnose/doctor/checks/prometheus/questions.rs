//! The queries that tell what Prometheus has of a counter or a gauge.

use std::collections::BTreeMap;

use crate::{
    api::v1alpha1::MatchExpression,
    core::metrics::promql::{InvalidMatcherName, LabelName, Matchers, matcher, matcher_name, quote},
};

/// The window in which falls of a counter are counted.
pub const RESETS_WINDOW: &str = "10m";

/// What the label is usually called that tells clusters apart which share a Prometheus, Thanos or Mimir: by the
/// external labels of each cluster's own Prometheus.
pub const CLUSTER_LABELS: [&str; 7] = [
    "cluster",
    "cluster_id",
    "cluster_name",
    "k8s_cluster",
    "k8s_cluster_name",
    "kubernetes_cluster",
    "prometheus_cluster",
];

/// A question that any Prometheus answers.
pub const fn reachable() -> &'static str {
    "vector(1)"
}

/// A selector that is narrowed step by step.
#[derive(Clone, Debug)]
pub struct Selected {
    matchers: Vec<String>,
}

impl Selected {
    /// All series of that name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            matchers: vec![format!("__name__={}", quote(name))],
        }
    }

    /// Those of them whose label has that value.
    #[must_use]
    pub fn with(mut self, label: &LabelName, value: &str) -> Self {
        self.matchers.push(format!("{label}={}", quote(value)));
        self
    }

    /// Those of them with all of these labels.
    ///
    /// # Errors
    /// When a key is no label name.
    pub fn with_all(self, labels: &BTreeMap<String, String>) -> Result<Self, InvalidMatcherName> {
        labels.iter().try_fold(self, |mut selected, (label, value)| {
            selected
                .matchers
                .push(format!("{}={}", matcher_name(label)?, quote(value)));
            Ok(selected)
        })
    }

    /// Those of them that meet all of these conditions.
    ///
    /// # Errors
    /// When a key is no label name.
    pub fn that_match(mut self, expressions: &[MatchExpression]) -> Result<Self, InvalidMatcherName> {
        for expression in expressions {
            self.matchers.push(matcher(expression)?);
        }
        Ok(self)
    }

    /// Those of them that are this cluster's.
    #[must_use]
    pub fn with_matchers(self, matchers: &Matchers) -> Self {
        matchers
            .iter()
            .fold(self, |selected, (label, value)| selected.with(label, value))
    }

    fn text(&self) -> String {
        format!("{{{}}}", self.matchers.join(","))
    }
}

/// How many series.
#[must_use]
pub fn count(selected: &Selected) -> String {
    format!("count({})", selected.text())
}

/// One series, with its labels.
#[must_use]
pub fn sample(selected: &Selected) -> String {
    format!("topk(1, {})", selected.text())
}

/// One series for each value of a label, which is missing in the answer where it is missing.
#[must_use]
pub fn by_label(selected: &Selected, label: &LabelName) -> String {
    format!("count by ({label}) ({})", selected.text())
}

/// One series for each combination of the labels that tell clusters apart.
#[must_use]
pub fn by_cluster(selected: &Selected) -> String {
    format!("count by ({}) ({})", CLUSTER_LABELS.join(", "), selected.text())
}

/// How often a series fell, on average.
#[must_use]
pub fn per_series_resets(selected: &Selected) -> String {
    format!("avg(resets({}[{RESETS_WINDOW}]))", selected.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_parses_whatever_the_values_are() {
        let label: LabelName = "namespace".parse().unwrap();
        let labels = BTreeMap::from([("queue".to_owned(), "a\"} or vector(1) #".to_owned())]);
        let selected = Selected::named("on").with_all(&labels).unwrap().with(&label, "n");
        for question in [
            count(&selected),
            sample(&selected),
            by_label(&selected, &label),
            by_cluster(&selected.clone().with_matchers(&Matchers::default())),
            per_series_resets(&selected),
            reachable().to_owned(),
        ] {
            assert!(
                crate::core::metrics::promql::parse(&question).is_ok(),
                "{question}"
            );
        }
        assert_eq!(
            count(&Selected::named("depth").with(&label, "n")),
            r#"count({__name__="depth",namespace="n"})"#
        );
    }
}
