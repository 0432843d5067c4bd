//! Readings of HPAs as the controller leaves them.

use serde_json::json;

use super::*;

fn conditions(active: &str) -> Value {
    json!([
        {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"},
        {"type": "ScalingActive", "status": active, "reason": "ValidMetricFound"},
        {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"},
    ])
}

fn spec() -> Value {
    json!({
        "minReplicas": 2, "maxReplicas": 9, "scaleTargetRef": {"kind": "Deployment", "name": "api"},
        "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}},
            {"type": "ContainerResource", "containerResource": {"name": "memory", "container": "app",
                "target": {"type": "AverageValue", "averageValue": "1Gi"}}},
            {"type": "Pods", "pods": {"metric": {"name": "rate"}, "target": {"type": "AverageValue", "averageValue": "100"}}},
            {"type": "Object", "object": {"metric": {"name": "depth"}, "describedObject": {"kind": "Deployment", "name": "api"},
                "target": {"type": "AverageValue", "averageValue": "50"}}},
            {"type": "External", "external": {"metric": {"name": "age"}, "target": {"type": "Value", "value": "60"}}},
        ],
    })
}

fn current_metrics() -> Value {
    json!([
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 105, "averageValue": "52m"}}},
        {"type": "ContainerResource", "containerResource": {"name": "memory", "container": "app", "current": {"averageValue": "1Gi"}}},
        {"type": "Pods", "pods": {"metric": {"name": "rate"}, "current": {"averageValue": "250500m"}}},
        {"type": "Object", "object": {"metric": {"name": "depth"}, "describedObject": {"kind": "Deployment", "name": "api"},
            "current": {"averageValue": "66667m"}}},
        {"type": "External", "external": {"metric": {"name": "age"}, "current": {"value": "30"}}},
    ])
}

fn hpa(status: Value) -> HpaReading {
    HpaReading::of(&spec(), &status).unwrap()
}

fn counted(current: i32, desired: i32, active: &str) -> Value {
    json!({"currentReplicas": current, "desiredReplicas": desired, "conditions": conditions(active),
           "currentMetrics": current_metrics()})
}

#[test]
fn each_metric_has_its_value_its_target_and_what_it_asks_for() {
    let reading = hpa(counted(3, 8, "True"));
    let found: Vec<_> = reading
        .metrics
        .iter()
        .map(|metric| {
            (
                metric.value.unwrap(),
                metric.target.unwrap(),
                metric.proposed.unwrap(),
            )
        })
        .collect();
    let gi = 1_073_741_824.0;
    // 105 % against 70 % on 3 replicas: ceil(1.5 * 3). 30 s against 60 s halves them.
    assert_eq!(
        found,
        [
            (105.0, 70.0, 5),
            (gi, gi, 3),
            (250.5, 100.0, 8),
            (66.667, 50.0, 4),
            (30.0, 60.0, 2)
        ]
    );
    assert_eq!((reading.current, reading.desired), (Some(3), Some(8)));
    assert_eq!(reading.limited, Some(("True".into(), "TooManyReplicas".into())));
    assert_eq!(reading.served(MetricsApi::Custom), 2);
    assert_eq!(reading.served(MetricsApi::External), 1);
}

#[test]
fn a_value_that_the_controller_did_not_read_is_absent_and_its_target_is_there() {
    let mut status = counted(3, 3, "True");
    status["currentMetrics"] = json!([{"type": ""}, current_metrics()[2]]);
    let reading = hpa(status);
    let known: Vec<bool> = reading
        .metrics
        .iter()
        .map(|metric| metric.value.is_some())
        .collect();
    assert_eq!(known, [false, false, true, false, false]);
    assert!(reading.metrics.iter().all(|metric| metric.target.is_some()));
    assert_eq!(reading.metrics[0].proposed, None);
}

#[test]
fn an_hpa_that_is_not_active_has_no_values_and_asks_for_nothing() {
    let reading = hpa(counted(3, 0, "False"));
    assert_eq!((reading.current, reading.desired), (Some(3), None));
    assert!(
        reading
            .metrics
            .iter()
            .all(|metric| metric.value.is_none() && metric.proposed.is_none())
    );
    let at_zero_by_hand = hpa(counted(0, 0, "False"));
    assert_eq!(at_zero_by_hand.desired, Some(0));
    let new = hpa(json!({"desiredReplicas": 0}));
    assert_eq!((new.current, new.desired), (None, None));
}

#[test]
fn rescales_are_counted_over_what_cannot_tell() {
    let mut reading = hpa(counted(2, 2, "True"));
    for (desired, active) in [(4, "True"), (4, "True"), (0, "False"), (5, "True"), (3, "True")] {
        let mut next = hpa(counted(2, desired, active));
        next.follow(&reading);
        reading = next;
    }
    assert_eq!((reading.rescales.up, reading.rescales.down), (2, 1));
}

#[test]
fn one_that_may_move_in_neither_direction_is_suspended() {
    let with = |up: &str, down: &str| {
        let mut spec = spec();
        spec["behavior"] = json!({"scaleUp": {"selectPolicy": up}, "scaleDown": {"selectPolicy": down}});
        HpaReading::of(&spec, &Value::Null).unwrap().suspended
    };
    assert!(with("Disabled", "Disabled"));
    assert!(!with("Max", "Disabled"));
    assert!(!hpa(json!({})).suspended);
}

#[test]
fn what_is_no_hpa_has_no_reading() {
    assert_eq!(
        HpaReading::of(&json!({"maxReplicas": "many"}), &Value::Null),
        None
    );
    assert_eq!(HpaReading::of(&json!([1]), &json!("x")), None);
}
