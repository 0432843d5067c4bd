//! Documents and what comes of them.

use serde_json::json;

use super::*;
use vas_core::hpa::Cause;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Three replicas, of which a queue of 300 asks for six.
fn document() -> Value {
    json!({
        "hpa": {"metadata": {"name": "web"}, "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2, "maxReplicas": 10,
            "metrics": [{"type": "External", "external": {
                "metric": {"name": "depth"}, "target": {"type": "AverageValue", "averageValue": "50"}}}],
            "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]}},
        }},
        "scale": {"spec": {"replicas": 3}, "status": {"replicas": 3, "selector": "app=web"}},
        "answers": [{"items": [{"metricName": "depth", "value": "300"}]}],
        "state": {"recommendations": [{"replicas": 3, "ageSeconds": 15.0}]},
        "now": "2026-01-01T00:00:00Z",
    })
}

fn ran(document: Value) -> Result<Report, SyncError> {
    run(&read(document)?, NOW)
}

#[test]
fn a_sync_says_what_each_metric_asks_for_and_what_limits_it() {
    let report = ran(document()).unwrap();
    assert_eq!((report.current, report.desired, report.eventually), (3, 5, 6));
    assert_eq!(report.reason, Cause::ScaleUpLimit);
    let metric = &report.metrics[0];
    assert_eq!(
        (metric.name.as_str(), metric.proposal, metric.decides),
        ("depth", Some(6), true)
    );
    let reasons: Vec<_> = report.conditions.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "SucceededRescale",
            "ValidMetricFound",
            "ScaleUpLimit",
            "NotScaledToZero"
        ]
    );
}

#[test]
fn the_state_that_comes_out_is_that_of_the_next_sync() {
    let mut next = document();
    next["state"] = serde_json::to_value(ran(document()).unwrap().state).unwrap();
    for recommendation in next["state"]["recommendations"].as_array_mut().unwrap() {
        recommendation["ageSeconds"] = json!(recommendation["ageSeconds"].as_f64().unwrap() + 15.0);
    }
    next["state"]["scaleUpEvents"][0]["ageSeconds"] = json!(15);
    next["scale"]["spec"]["replicas"] = json!(5);
    let report = ran(next).unwrap();
    assert_eq!((report.desired, report.reason), (5, Cause::ScaleUpLimit));
    assert_eq!(report.state.recommendations.len(), 3);
    assert_eq!(report.state.scale_up_events.len(), 1);
}

#[test]
fn a_read_that_fails_and_an_answer_without_value_say_so() {
    let mut failing = document();
    failing["answers"] = json!([{"error": "connection refused"}]);
    let report = ran(failing.clone()).unwrap();
    assert_eq!(report.metrics[0].error.as_deref(), Some("connection refused"));
    assert_eq!((report.desired, report.reason), (3, Cause::NoMetrics));
    failing["answers"] = json!([{"items": []}]);
    let report = ran(failing).unwrap();
    assert_eq!(
        report.metrics[0].error.as_deref(),
        Some("the API returned no series")
    );
}

#[test]
fn flags_gates_and_the_time_come_from_the_document() {
    let mut zero = document();
    zero["hpa"]["status"] = json!({"desiredReplicas": 0, "conditions": [
        {"type": "ScaledToZero", "status": "True", "reason": "ScaledToZero"}]});
    zero["scale"]["spec"]["replicas"] = json!(0);
    assert_eq!(ran(zero.clone()).unwrap().desired, 2);
    zero["featureGates"] = json!({"HPAScaleToZero": false});
    let report = ran(zero).unwrap();
    assert_eq!(report.reason, Cause::ScalingDisabled);
    assert!(report.conditions.iter().all(|one| one.type_ != "ScaledToZero"));
    let mut tolerant = document();
    tolerant["controller"] = json!({"tolerance": 1.5});
    assert_eq!(ran(tolerant).unwrap().desired, 3);
}

#[test]
fn what_describes_no_sync_is_refused_with_its_place() {
    let refused = |change: fn(&mut Value)| {
        let mut document = document();
        change(&mut document);
        ran(document).unwrap_err().to_string()
    };
    assert!(refused(|document| document["pod"] = json!([])).contains("unknown field `pod`"));
    assert!(refused(|document| document["answers"] = json!([])).starts_with("answers: 0 for 1 metrics"));
    assert!(refused(|document| document["hpa"]["spec"]["maxReplicas"] = json!("x")).starts_with("hpa: "));
    assert!(refused(|document| document["pods"] = json!([{"spec": 1}])).starts_with("pods[0]: "));
    for age in [json!(-1), json!(1e300)] {
        let mut document = document();
        document["state"]["recommendations"][0]["ageSeconds"] = age;
        assert_eq!(
            ran(document).unwrap_err().to_string(),
            "state.recommendations: not an age in seconds"
        );
    }
}

#[test]
fn the_schemas_name_every_field_of_the_example() {
    let schema = document_schema();
    for field in document().as_object().unwrap().keys() {
        assert!(schema["properties"][field]["description"].is_string(), "{field}");
    }
    let report = serde_json::to_value(ran(document()).unwrap()).unwrap();
    let schema = report_schema();
    for field in report.as_object().unwrap().keys() {
        assert!(schema["properties"][field]["description"].is_string(), "{field}");
    }
}
