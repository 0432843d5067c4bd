use serde_json::{Value, json};

use super::*;
use crate::reconcile::desired::testing::{scaling, scaling_with};

fn hpa(scaling: &Scaling) -> Value {
    serde_json::to_value(build(scaling, &scaling.workloads[0], Timestamp::UNIX_EPOCH, None)).unwrap()
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
        json!({"name": "a-backlog", "external": true, "queueDepth": {"gauge": "g", "target": {"value": "5"}}}),
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
            "Object",
            "External"
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
fn an_external_metric_has_the_same_name_selector_and_target_and_describes_no_object() {
    for (target, written) in [
        (json!({"value": "60"}), json!({"type": "Value", "value": "60"})),
        (
            json!({"averageValue": "50"}),
            json!({"type": "AverageValue", "averageValue": "50"}),
        ),
    ] {
        let hpa = hpa(&scaling_with(json!({"metrics": [
            {"name": "age", "external": true, "queueAge": {"gauge": "g", "target": target}},
        ]})));
        assert_eq!(
            hpa["spec"]["metrics"],
            json!([{"type": "External", "external": {
                "metric": {"name": "age", "selector": {"matchLabels": {
                    "scaling.voiceassist.io/name": "voiceassist",
                    "scaling.voiceassist.io/workload": "api",
                }}},
                "target": written,
            }}])
        );
    }
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
