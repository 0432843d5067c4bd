//! The HorizontalPodAutoscaler of a workload.
//!
//! Metrics are sorted by type (resource, containerResource, pods, object, external) and name, so that moving
//! lines in the spec causes no write. `behavior` is written in full for both directions, because the
//! controller fills gaps in it from its flags, which differ from cluster to cluster.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::{
    api::autoscaling::v2::{
        ContainerResourceMetricSource, CrossVersionObjectReference, ExternalMetricSource, HPAScalingPolicy,
        HPAScalingRules, HorizontalPodAutoscaler, HorizontalPodAutoscalerBehavior,
        HorizontalPodAutoscalerSpec, MetricIdentifier, MetricSpec, MetricTarget, ObjectMetricSource,
        PodsMetricSource, ResourceMetricSource,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference},
};

use super::meta;
use crate::spec::model::{
    Metric, MetricType, ObjectTarget, PrometheusMetric, ResourceTarget, Scaling, ScalingKey, ScalingRules,
    Source, Workload,
};
use vas_api::{
    LABEL_SCALING, LABEL_WORKLOAD,
    v1alpha1::{PolicyType, ResourceName, SelectPolicy},
};

/// The HPA of one workload, with the bounds that its schedule gives it at `now`. The HPA of a suspended workload keeps its policies and has `selectPolicy:
/// Disabled` in both directions, so it follows no metric. The HPA controller still moves replicas beyond a
/// bound to that bound.
#[must_use]
pub fn build(
    scaling: &Scaling,
    workload: &Workload,
    now: Timestamp,
    owner: Option<&OwnerReference>,
) -> HorizontalPodAutoscaler {
    let bounds = workload.bounds_at(now);
    let mut metrics: Vec<&Metric> = workload.metrics.iter().collect();
    // Drift compares lists by position, so the order must not depend on the spec.
    metrics.sort_by_key(|metric| (rank(&metric.source), metric.name.as_str()));
    HorizontalPodAutoscaler {
        metadata: meta::child(&scaling.key, Some(&workload.name), owner),
        spec: HorizontalPodAutoscalerSpec {
            scale_target_ref: target_ref(workload),
            min_replicas: Some(bounds.min),
            max_replicas: bounds.max,
            metrics: Some(
                metrics
                    .into_iter()
                    .map(|metric| metric_spec(&scaling.key, workload, metric))
                    .collect(),
            ),
            behavior: Some(HorizontalPodAutoscalerBehavior {
                scale_up: Some(rules(&workload.behavior.scale_up, workload.suspended)),
                scale_down: Some(rules(&workload.behavior.scale_down, workload.suspended)),
            }),
        },
        status: None,
    }
}

/// The labels in `metric.selector.matchLabels`, which distinguish this workload's metrics from all others.
#[must_use]
pub fn metric_selector(key: &ScalingKey, workload: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (LABEL_SCALING.to_owned(), key.name.clone()),
        (LABEL_WORKLOAD.to_owned(), workload.to_owned()),
    ])
}

/// Position of a metric's type in the order of the HPA's metrics.
fn rank(source: &Source) -> u8 {
    match source {
        Source::Resource { .. } => 0,
        Source::ContainerResource { .. } => 1,
        Source::Prometheus(prometheus) => match prometheus.metric_type() {
            MetricType::Pods => 2,
            MetricType::Object => 3,
            MetricType::External => 4,
        },
    }
}

fn target_ref(workload: &Workload) -> CrossVersionObjectReference {
    CrossVersionObjectReference {
        api_version: Some(workload.target.api_version.clone()),
        kind: workload.target.kind.clone(),
        name: workload.target.name.clone(),
    }
}

fn metric_spec(key: &ScalingKey, workload: &Workload, metric: &Metric) -> MetricSpec {
    match &metric.source {
        Source::Resource { name, target } => MetricSpec {
            type_: "Resource".to_owned(),
            resource: Some(ResourceMetricSource {
                name: resource_name(*name).to_owned(),
                target: resource_target(target),
            }),
            ..MetricSpec::default()
        },
        Source::ContainerResource {
            name,
            container,
            target,
        } => MetricSpec {
            type_: "ContainerResource".to_owned(),
            container_resource: Some(ContainerResourceMetricSource {
                container: container.clone(),
                name: resource_name(*name).to_owned(),
                target: resource_target(target),
            }),
            ..MetricSpec::default()
        },
        Source::Prometheus(prometheus) => {
            prometheus_metric_spec(prometheus, identifier(key, workload, metric), workload)
        }
    }
}

fn prometheus_metric_spec(
    prometheus: &PrometheusMetric,
    metric: MetricIdentifier,
    workload: &Workload,
) -> MetricSpec {
    let target = object_target(&prometheus.target);
    match prometheus.metric_type() {
        MetricType::Pods => MetricSpec {
            type_: "Pods".to_owned(),
            pods: Some(PodsMetricSource { metric, target }),
            ..MetricSpec::default()
        },
        MetricType::Object => MetricSpec {
            type_: "Object".to_owned(),
            object: Some(ObjectMetricSource {
                // The metric describes the scale target itself, so that RBAC can name it
                // (`deployments/depth`).
                described_object: target_ref(workload),
                metric,
                target,
            }),
            ..MetricSpec::default()
        },
        MetricType::External => MetricSpec {
            type_: "External".to_owned(),
            external: Some(ExternalMetricSource { metric, target }),
            ..MetricSpec::default()
        },
    }
}

fn identifier(key: &ScalingKey, workload: &Workload, metric: &Metric) -> MetricIdentifier {
    MetricIdentifier {
        name: metric.name.clone(),
        selector: Some(LabelSelector {
            match_labels: Some(metric_selector(key, &workload.name)),
            match_expressions: None,
        }),
    }
}

fn resource_name(name: ResourceName) -> &'static str {
    match name {
        ResourceName::Cpu => "cpu",
        ResourceName::Memory => "memory",
    }
}

fn resource_target(target: &ResourceTarget) -> MetricTarget {
    match target {
        ResourceTarget::AverageUtilization(percent) => MetricTarget {
            type_: "Utilization".to_owned(),
            average_utilization: Some(*percent),
            ..MetricTarget::default()
        },
        ResourceTarget::AverageValue(value) => MetricTarget {
            type_: "AverageValue".to_owned(),
            average_value: Some(value.clone()),
            ..MetricTarget::default()
        },
    }
}

fn object_target(target: &ObjectTarget) -> MetricTarget {
    match target {
        ObjectTarget::Value(value) => MetricTarget {
            type_: "Value".to_owned(),
            value: Some(value.clone()),
            ..MetricTarget::default()
        },
        ObjectTarget::AverageValue(value) => MetricTarget {
            type_: "AverageValue".to_owned(),
            average_value: Some(value.clone()),
            ..MetricTarget::default()
        },
    }
}

fn rules(rules: &ScalingRules, suspended: bool) -> HPAScalingRules {
    let select_policy = if suspended {
        SelectPolicy::Disabled
    } else {
        rules.select_policy
    };
    HPAScalingRules {
        stabilization_window_seconds: Some(rules.stabilization_window_seconds),
        select_policy: Some(
            match select_policy {
                SelectPolicy::Max => "Max",
                SelectPolicy::Min => "Min",
                SelectPolicy::Disabled => "Disabled",
            }
            .to_owned(),
        ),
        policies: Some(
            rules
                .policies
                .iter()
                .map(|policy| HPAScalingPolicy {
                    type_: match policy.type_ {
                        PolicyType::Pods => "Pods",
                        PolicyType::Percent => "Percent",
                    }
                    .to_owned(),
                    value: policy.value,
                    period_seconds: policy.period_seconds,
                })
                .collect(),
        ),
        tolerance: rules.tolerance.clone(),
    }
}

#[cfg(test)]
mod tests;
