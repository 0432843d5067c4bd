//! The HorizontalPodAutoscaler of a workload.
//!
//! Metric order is canonical (resource, containerResource, pods, object, each by name), so that moving
//! lines in the spec writes nothing. Behaviour is written in both directions and in full: an HPA whose
//! `behavior` is partly empty takes cluster-wide flags that differ from cluster to cluster.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::autoscaling::v2::{
        ContainerResourceMetricSource, CrossVersionObjectReference, HPAScalingPolicy, HPAScalingRules,
        HorizontalPodAutoscaler, HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerSpec,
        MetricIdentifier, MetricSpec, MetricTarget, ObjectMetricSource, PodsMetricSource,
        ResourceMetricSource,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference},
};

use super::meta;
use crate::{
    api::{
        LABEL_SCALING, LABEL_WORKLOAD,
        v1alpha1::{PolicyType, ResourceName, SelectPolicy},
    },
    core::model::{
        Metric, ObjectTarget, PrometheusMetric, ResourceTarget, Scaling, ScalingKey, ScalingRules, Series,
        Source, Workload,
    },
};

/// The HPA of one workload. A suspended one keeps its policies and follows no metric in either direction; the
/// HPA controller still moves a count outside the bounds to the nearer one.
#[must_use]
pub fn build(
    scaling: &Scaling,
    workload: &Workload,
    owner: Option<&OwnerReference>,
) -> HorizontalPodAutoscaler {
    let mut metrics: Vec<&Metric> = workload.metrics.iter().collect();
    metrics.sort_by_key(|metric| (rank(&metric.source), metric.name.as_str()));
    HorizontalPodAutoscaler {
        metadata: meta::child(&scaling.key, Some(&workload.name), owner),
        spec: HorizontalPodAutoscalerSpec {
            scale_target_ref: target_ref(workload),
            min_replicas: Some(workload.min_replicas),
            max_replicas: workload.max_replicas,
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

/// The selector that tells this workload's metrics from all others: `metric.selector.matchLabels`.
#[must_use]
pub fn metric_selector(key: &ScalingKey, workload: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (LABEL_SCALING.to_owned(), key.name.clone()),
        (LABEL_WORKLOAD.to_owned(), workload.to_owned()),
    ])
}

fn rank(source: &Source) -> u8 {
    match source {
        Source::Resource { .. } => 0,
        Source::ContainerResource { .. } => 1,
        Source::Prometheus(prometheus) => match prometheus.series {
            Series::RequestRate { .. } => 2,
            Series::Gauge { .. } | Series::Query { .. } => 3,
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
    match prometheus.series {
        Series::RequestRate { .. } => MetricSpec {
            type_: "Pods".to_owned(),
            pods: Some(PodsMetricSource { metric, target }),
            ..MetricSpec::default()
        },
        Series::Gauge { .. } | Series::Query { .. } => MetricSpec {
            type_: "Object".to_owned(),
            object: Some(ObjectMetricSource {
                described_object: target_ref(workload),
                metric,
                target,
            }),
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
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::desired::testing::{scaling, scaling_with};

    fn hpa(scaling: &Scaling) -> Value {
        serde_json::to_value(build(scaling, &scaling.workloads[0], None)).unwrap()
    }

    #[test]
    fn metrics_are_in_canonical_order_whatever_the_order_of_the_spec() {
        let entries = [
            json!({"name": "z-cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}),
            json!({"name": "a-memory", "resource": {"name": "memory", "target": {"averageValue": "1Gi"}}}),
            json!({"name": "app", "containerResource": {"name": "cpu", "container": "app", "target": {"averageUtilization": 60}}}),
            json!({"name": "rate", "requestRate": {"counter": "c", "target": {"averageValue": "100"}}}),
            json!({"name": "depth", "queueDepth": {"gauge": "g", "target": {"averageValue": "50"}}}),
            json!({"name": "age", "queueAge": {"gauge": "g", "target": {"value": "60"}}}),
        ];
        let forwards = hpa(&scaling_with(json!({ "metrics": entries })));
        let backwards: Vec<_> = entries.iter().rev().collect();
        assert_eq!(forwards, hpa(&scaling_with(json!({ "metrics": backwards }))));
        let types: Vec<_> = forwards["spec"]["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|metric| metric["type"].as_str().unwrap())
            .collect();
        assert_eq!(
            types,
            [
                "Resource",
                "Resource",
                "ContainerResource",
                "Pods",
                "Object",
                "Object"
            ]
        );
        assert_eq!(
            forwards["spec"]["metrics"][0]["resource"]["name"],
            json!("memory")
        );
        assert_eq!(
            forwards["spec"]["metrics"][4]["object"]["metric"]["name"],
            json!("age")
        );
    }

    #[test]
    fn a_request_rate_is_a_pods_metric_with_its_own_selector() {
        let hpa = hpa(&scaling_with(json!({"metrics": [
            {"name": "rate", "requestRate": {"counter": "c", "target": {"averageValue": "100"}}},
        ]})));
        assert_eq!(
            hpa["spec"]["metrics"],
            json!([{"type": "Pods", "pods": {
                "metric": {"name": "rate", "selector": {"matchLabels": {
                    "scaling.voiceassist.io/name": "voiceassist",
                    "scaling.voiceassist.io/workload": "api",
                }}},
                "target": {"type": "AverageValue", "averageValue": "100"},
            }}])
        );
    }

    #[test]
    fn a_queue_is_an_object_metric_on_the_scale_target() {
        let hpa = hpa(&scaling_with(json!({"metrics": [
            {"name": "age", "queueAge": {"gauge": "g", "target": {"value": "60"}}},
        ]})));
        let object = &hpa["spec"]["metrics"][0]["object"];
        assert_eq!(
            object["describedObject"],
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"})
        );
        assert_eq!(object["target"], json!({"type": "Value", "value": "60"}));
        assert_eq!(hpa["spec"]["scaleTargetRef"], object["describedObject"]);
    }

    #[test]
    fn behavior_is_written_in_both_directions_and_in_full() {
        assert_eq!(
            hpa(&scaling())["spec"]["behavior"],
            json!({
                "scaleUp": {
                    "stabilizationWindowSeconds": 0,
                    "selectPolicy": "Max",
                    "policies": [
                        {"type": "Pods", "value": 4, "periodSeconds": 15},
                        {"type": "Percent", "value": 100, "periodSeconds": 15},
                    ],
                },
                "scaleDown": {
                    "stabilizationWindowSeconds": 300,
                    "selectPolicy": "Max",
                    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
                },
            })
        );
    }

    #[test]
    fn a_suspended_workload_scales_in_neither_direction_and_keeps_its_policies() {
        let running = hpa(&scaling());
        let suspended = hpa(&scaling_with(json!({"suspend": true})));
        for direction in ["scaleUp", "scaleDown"] {
            let rules = &suspended["spec"]["behavior"][direction];
            assert_eq!(rules["selectPolicy"], json!("Disabled"), "{direction}");
            assert_eq!(
                rules["policies"],
                running["spec"]["behavior"][direction]["policies"]
            );
        }
    }
}
