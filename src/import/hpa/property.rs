//! Property: an imported and then rendered HPA is the same HPA.

use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::convert;
use vas_core::{reconcile::desired::hpa::build, spec::rules::validate};

/// Metrics of CPU or memory, of the pod or of a container. Each source occurs at most once.
fn metrics() -> impl Strategy<Value = Vec<Value>> {
    let target = prop_oneof![
        (1..=300).prop_map(|percent| json!({"type": "Utilization", "averageUtilization": percent})),
        prop::sample::select(vec!["500m", "1Gi", "0.5", "2"])
            .prop_map(|amount| json!({"type": "AverageValue", "averageValue": amount})),
    ];
    let sources = vec![
        ("cpu", None),
        ("memory", None),
        ("cpu", Some("app")),
        ("memory", Some("app")),
        ("cpu", Some("proxy")),
    ];
    let count = sources.len();
    (
        prop::sample::subsequence(sources, 1..=count),
        prop::collection::vec(target, count),
    )
        .prop_map(|(sources, targets)| {
            let metric = |((resource, container), target): ((&str, Option<&str>), Value)| match container {
                None => json!({"type": "Resource", "resource": {"name": resource, "target": target}}),
                Some(container) => json!({
                    "type": "ContainerResource",
                    "containerResource": {"name": resource, "container": container, "target": target},
                }),
            };
            sources.into_iter().zip(targets).map(metric).collect()
        })
}

fn rules() -> impl Strategy<Value = Value> {
    let policy = (prop::sample::select(vec!["Pods", "Percent"]), 1..=100, 1..=1800)
        .prop_map(|(type_, value, period)| json!({"type": type_, "value": value, "periodSeconds": period}));
    (
        prop::option::of(0..=3600),
        prop::option::of(prop::sample::select(vec!["Max", "Min", "Disabled"])),
        prop::collection::vec(policy, 0..4),
        prop::option::of(prop::sample::select(vec!["0.05", "100m"])),
    )
        .prop_map(|(window, select, policies, tolerance)| {
            let mut rules = json!({});
            if let Some(window) = window {
                rules["stabilizationWindowSeconds"] = json!(window);
            }
            if let Some(select) = select {
                rules["selectPolicy"] = json!(select);
            }
            if !policies.is_empty() {
                rules["policies"] = json!(policies);
            }
            if let Some(tolerance) = tolerance {
                rules["tolerance"] = json!(tolerance);
            }
            rules
        })
}

fn hpas() -> impl Strategy<Value = Value> {
    let behavior = prop::option::of((prop::option::of(rules()), prop::option::of(rules())));
    (metrics(), behavior, prop::option::of(1..=5), 5..=100).prop_map(|(metrics, behavior, min, max)| {
        let mut spec = json!({
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            "maxReplicas": max, "metrics": metrics,
        });
        if let Some(min) = min {
            spec["minReplicas"] = json!(min);
        }
        if let Some((up, down)) = behavior {
            spec["behavior"] = json!({});
            for (direction, rules) in [("scaleUp", up), ("scaleDown", down)] {
                if let Some(rules) = rules {
                    spec["behavior"][direction] = rules;
                }
            }
        }
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "api", "namespace": "shop"}, "spec": spec,
        })
    })
}

/// The HPA with the defaults of the API server and the controller filled in, and with its metrics sorted.
fn meant(spec: &HorizontalPodAutoscalerSpec) -> Value {
    let mut spec = serde_json::to_value(spec).unwrap();
    if spec["minReplicas"].is_null() {
        spec["minReplicas"] = json!(1);
    }
    let policy = |type_: &str, value: i32| json!({"type": type_, "value": value, "periodSeconds": 15});
    for (direction, window, policies) in [
        ("scaleUp", 0, json!([policy("Pods", 4), policy("Percent", 100)])),
        ("scaleDown", 300, json!([policy("Percent", 100)])),
    ] {
        let mut rules =
            json!({"stabilizationWindowSeconds": window, "selectPolicy": "Max", "policies": policies});
        if let Some(written) = spec["behavior"][direction].as_object() {
            rules.as_object_mut().unwrap().extend(written.clone());
        }
        spec["behavior"][direction] = rules;
    }
    let metrics = spec["metrics"].as_array_mut().unwrap();
    metrics.sort_by_key(ToString::to_string);
    spec
}

proptest! {
    #[test]
    fn an_imported_hpa_renders_as_it_was(object in hpas()) {
        let before: HorizontalPodAutoscaler = serde_json::from_value(object.clone()).unwrap();
        let assembled = convert("imported", &[object], None).unwrap();
        prop_assert_eq!(&assembled.refused, &[]);
        let validation = validate(&assembled.resources[0].object);
        prop_assert_eq!(&validation.violations, &[]);
        let scaling = validation.scaling.unwrap();
        let after = build(&scaling, &scaling.workloads[0], jiff::Timestamp::UNIX_EPOCH, None);
        prop_assert_eq!(meant(&after.spec), meant(&before.spec));
    }
}
