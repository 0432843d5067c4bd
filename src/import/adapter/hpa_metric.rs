//! The metrics that existing HPAs read from prometheus-adapter.

use k8s_openapi::{
    api::autoscaling::v2::{HorizontalPodAutoscaler, MetricIdentifier, MetricTarget},
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::LabelSelector},
};

use crate::query::{Extra, Op};
use vas_core::k8s::api_version;

/// One metric of an HPA.
#[derive(Clone, Debug, PartialEq)]
pub struct HpaMetric {
    /// Name of the HPA, as `namespace/name` if the file names the namespace.
    pub(super) hpa: String,
    /// Namespace of the HPA, if the file names it.
    pub(super) namespace: Option<String>,
    /// Name of the metric.
    pub(super) metric: String,
    /// The kind of object that the metric describes.
    pub(super) about: About,
    /// The metric's selector as the matchers that prometheus-adapter adds to the query, or why it refuses the
    /// selector.
    pub(super) selected: Result<Vec<Extra>, String>,
    /// `averageValue` of the target.
    pub(super) average_value: Option<Quantity>,
    /// `value` of the target.
    pub(super) value: Option<Quantity>,
}

impl HpaMetric {
    /// Name of the metric.
    #[must_use]
    pub fn metric(&self) -> &str {
        &self.metric
    }
}

/// What a metric describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    Pods,
    Object {
        group: String,
        kind: String,
        name: String,
    },
    External,
}

/// The metrics of an HPA that prometheus-adapter serves: those of type Pods, Object and External.
#[must_use]
pub fn wanted(hpa: &HorizontalPodAutoscaler) -> Vec<HpaMetric> {
    let name = hpa.metadata.name.clone().unwrap_or_default();
    let namespace = hpa.metadata.namespace.clone();
    let hpa_name = namespace
        .as_ref()
        .map_or_else(|| name.clone(), |namespace| format!("{namespace}/{name}"));
    let one = |about, metric: &MetricIdentifier, target: &MetricTarget| HpaMetric {
        hpa: hpa_name.clone(),
        namespace: namespace.clone(),
        metric: metric.name.clone(),
        about,
        selected: selected(metric.selector.as_ref()),
        average_value: target.average_value.clone(),
        value: target.value.clone(),
    };
    let metrics = hpa.spec.metrics.iter().flatten();
    metrics
        .filter_map(|metric| {
            if let Some(pods) = &metric.pods {
                return Some(one(About::Pods, &pods.metric, &pods.target));
            }
            if let Some(object) = &metric.object {
                let described = &object.described_object;
                let version = described.api_version.as_deref().unwrap_or_default();
                let about = About::Object {
                    group: api_version::group(version).to_owned(),
                    kind: described.kind.clone(),
                    name: described.name.clone(),
                };
                return Some(one(about, &object.metric, &object.target));
            }
            let external = metric.external.as_ref()?;
            Some(one(About::External, &external.metric, &external.target))
        })
        .collect()
}

/// Converts a selector into matchers as prometheus-adapter does. It joins the values of `In` with `|` into a
/// regular expression without quoting them. Only a single value without special characters becomes an
/// equality here.
fn selected(selector: Option<&LabelSelector>) -> Result<Vec<Extra>, String> {
    let Some(selector) = selector else {
        return Ok(Vec::new());
    };
    let mut selected = Vec::new();
    for (label, value) in selector.match_labels.iter().flatten() {
        selected.push(Extra::new(label, Op::Equal, value));
    }
    for expression in selector.match_expressions.iter().flatten() {
        let values = expression.values.as_deref().unwrap_or_default();
        let joined = values.join("|");
        let plain = matches!(values, [one] if !one.contains(|char: char| r"\.+*?()|[]{}^$".contains(char)));
        let op = match (expression.operator.as_str(), plain) {
            ("In", true) | ("DoesNotExist", _) => Op::Equal,
            ("In", false) => Op::Matches,
            ("NotIn", true) | ("Exists", _) => Op::NotEqual,
            ("NotIn", false) => Op::NotMatches,
            (other, _) => return Err(format!("its selector has the operator {other:?}")),
        };
        selected.push(Extra::new(&expression.key, op, &joined));
    }
    selected.sort();
    Ok(selected)
}
