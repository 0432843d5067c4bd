//! What existing HPAs ask of prometheus-adapter.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::autoscaling::v2::{HorizontalPodAutoscaler, MetricIdentifier, MetricTarget},
    apimachinery::pkg::api::resource::Quantity,
};

/// One metric of an HPA.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Name of the HPA.
    pub hpa: String,
    /// Name of the metric.
    pub metric: String,
    /// What it describes.
    pub(super) about: About,
    /// The metric's selector, as far as it is equality.
    pub(super) match_labels: BTreeMap<String, String>,
    /// Whether the selector has more than equality.
    pub(super) has_expressions: bool,
    /// `averageValue`.
    pub(super) average_value: Option<Quantity>,
    /// `value`.
    pub(super) value: Option<Quantity>,
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

/// The metrics of an HPA that prometheus-adapter answers.
pub fn wanted(hpa: &HorizontalPodAutoscaler) -> Vec<Wanted> {
    let name = hpa.metadata.name.clone().unwrap_or_default();
    let one = |about, metric: &MetricIdentifier, target: &MetricTarget| {
        let selector = metric.selector.as_ref();
        Wanted {
            hpa: name.clone(),
            metric: metric.name.clone(),
            about,
            match_labels: selector
                .and_then(|one| one.match_labels.clone())
                .unwrap_or_default(),
            has_expressions: selector
                .is_some_and(|one| one.match_expressions.iter().flatten().next().is_some()),
            average_value: target.average_value.clone(),
            value: target.value.clone(),
        }
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
                    group: version
                        .split_once('/')
                        .map(|(group, _)| group.to_owned())
                        .unwrap_or_default(),
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
