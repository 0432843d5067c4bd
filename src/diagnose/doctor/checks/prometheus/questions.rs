//! The queries about the series of a counter or a gauge.

use std::collections::BTreeMap;

use vas_api::v1alpha1::MatchExpression;
use vas_core::metrics::promql::{
    InvalidMatcherName, LabelName, Matchers, matcher, matcher_name, quote, quote_any_of,
};

/// The window in which the resets of a counter are counted.
pub const RESETS_WINDOW: &str = "10m";

/// Usual names of the label that tells clusters apart if several share a Prometheus, Thanos or Mimir. It is
/// an external label of each cluster's own Prometheus.
pub const CLUSTER_LABELS: [&str; 7] = [
    "cluster",
    "cluster_id",
    "cluster_name",
    "k8s_cluster",
    "k8s_cluster_name",
    "kubernetes_cluster",
    "prometheus_cluster",
];

/// A query that every Prometheus answers.
pub const fn reachable() -> &'static str {
    "vector(1)"
}

/// A selector that is narrowed step by step.
#[derive(Clone, Debug)]
pub struct Selected {
    matchers: Vec<String>,
}

impl Selected {
    /// Selects all series with this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            matchers: vec![format!("__name__={}", quote(name))],
        }
    }

    /// Keeps the series whose label has this value.
    #[must_use]
    pub fn with(mut self, label: &LabelName, value: &str) -> Self {
        self.matchers.push(format!("{label}={}", quote(value)));
        self
    }

    /// Selects all series whose label has one of these values.
    #[must_use]
    pub fn of_any<'a>(label: &LabelName, values: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            matchers: vec![format!("{label}=~{}", quote_any_of(values))],
        }
    }

    /// Keeps the series with this name.
    #[must_use]
    pub fn and_named(mut self, name: &str) -> Self {
        self.matchers.push(format!("__name__={}", quote(name)));
        self
    }

    /// Keeps the series of whose name a part matches this regular expression.
    #[must_use]
    pub fn whose_name_has(mut self, expression: &str) -> Self {
        self.matchers
            .push(format!("__name__=~{}", quote(&format!(".*({expression}).*"))));
        self
    }

    /// Keeps the series that have all of these labels.
    ///
    /// # Errors
    /// If a key is not a label name.
    pub fn with_all(self, labels: &BTreeMap<String, String>) -> Result<Self, InvalidMatcherName> {
        labels.iter().try_fold(self, |mut selected, (label, value)| {
            selected
                .matchers
                .push(format!("{}={}", matcher_name(label)?, quote(value)));
            Ok(selected)
        })
    }

    /// Keeps the series that match all of these expressions.
    ///
    /// # Errors
    /// If a key is not a label name.
    pub fn that_match(mut self, expressions: &[MatchExpression]) -> Result<Self, InvalidMatcherName> {
        for expression in expressions {
            self.matchers.push(matcher(expression)?);
        }
        Ok(self)
    }

    /// Keeps the series that match the matchers of the server.
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

/// Counts the series.
#[must_use]
pub fn count(selected: &Selected) -> String {
    format!("count({})", selected.text())
}

/// Returns one of the series, with its labels.
#[must_use]
pub fn sample(selected: &Selected) -> String {
    format!("topk(1, {})", selected.text())
}

/// Returns one series for each value of a label. Series without the label are one series without it.
#[must_use]
pub fn by_label(selected: &Selected, label: &LabelName) -> String {
    format!("count by ({label}) ({})", selected.text())
}

/// Returns one series for each name.
#[must_use]
pub fn by_name(selected: &Selected) -> String {
    format!("count by (__name__) ({})", selected.text())
}

/// The increase per second of the series of one pod, on average over the pods. A series that is younger than the window is
/// left out, because its rate would be too low.
#[must_use]
pub fn rate_per_pod(selected: &Selected, pod: &LabelName) -> String {
    let selector = selected.text();
    format!("avg(sum by ({pod}) (rate({selector}[1m]) and {selector} offset 1m))")
}

/// The greatest value of [`rate_per_pod`] at the full minutes of the last hour.
#[must_use]
pub fn peak_rate_per_pod(selected: &Selected, pod: &LabelName) -> String {
    format!("max_over_time({}[1h:1m])", rate_per_pod(selected, pod))
}

/// Returns one series for each combination of [`CLUSTER_LABELS`].
#[must_use]
pub fn by_cluster(selected: &Selected) -> String {
    format!("count by ({}) ({})", CLUSTER_LABELS.join(", "), selected.text())
}

/// The number of resets per series, on average.
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
            by_name(&Selected::of_any(&label, ["a.b", "c\"}"]).whose_name_has("queue|backlog")),
            peak_rate_per_pod(&selected.clone().and_named("x"), &label),
            reachable().to_owned(),
        ] {
            assert!(vas_core::metrics::promql::parse(&question).is_ok(), "{question}");
        }
        assert_eq!(
            count(&Selected::named("depth").with(&label, "n")),
            r#"count({__name__="depth",namespace="n"})"#
        );
    }
}
