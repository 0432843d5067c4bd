//! The series of resources.

use serde_json::{Value, json};

use super::*;
use crate::monitoring::{exposition::Detail, readings::Reading};

fn content() -> Value {
    json!({
        "spec": {"environment": "dev", "workloads": [
            {"name": "api", "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"},
             "minReplicas": 2, "metrics": [{"name": "busy", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}]},
            {"name": "batch", "scaleTargetRef": {"kind": "Job", "name": "batch"}},
        ]},
        "status": {"observedGeneration": 3, "environment": "dev",
            "conditions": [{"type": "Ready", "status": "False", "reason": "MetricsMissing", "message": "m"}],
            "workloads": [{"name": "api", "conditions": [
                {"type": "ScalingActive", "status": "False", "reason": "FailedGetPodsMetric"},
                {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"}]}]},
    })
}

fn hpa(min: i32) -> Value {
    json!({"minReplicas": min, "maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "gateway"},
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}]})
}

fn readings(name: &str, min: i32) -> Readings {
    let status = json!({"currentReplicas": 5, "desiredReplicas": 5,
        "conditions": [{"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"},
                       {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"}],
        "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 140}}}]});
    let budget = json!({"observedGeneration": 1, "currentHealthy": 4, "disruptionsAllowed": 1});
    match (
        name,
        Reading::of(&hpa(min), &status),
        Reading::of(&json!({}), &budget),
    ) {
        ("v-api", Some(Reading::Hpa(hpa)), Some(Reading::Budget(budget))) => Readings {
            hpa: Some(hpa),
            budget: Some(budget),
        },
        _ => Readings::default(),
    }
}

fn exported(detail: Detail, content: Option<Value>, min: i32) -> Vec<String> {
    let content: Option<Content> = content.map(|content| serde_json::from_value(content).unwrap());
    let resource = Resource {
        namespace: "ns",
        name: "v",
        generation: Some(4),
        content: content.as_ref(),
    };
    let mut exposition = Exposition::new(detail, 1000);
    add(&mut exposition, &resource, |name| readings(name, min));
    let text = exposition.into_parts().concat();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_resource_has_the_series_of_what_is_known() {
    let lines = exported(Detail::Full, Some(content()), 2);
    let api = r#"namespace="ns",scaling="v",workload="api""#;
    let batch = r#"namespace="ns",scaling="v",workload="batch""#;
    let mut wanted = vec![
        r#"vas_scaling_condition{namespace="ns",scaling="v",type="Ready",status="False",reason="MetricsMissing"} 1"#.to_owned(),
        r#"vas_scaling_generation{namespace="ns",scaling="v"} 4"#.to_owned(),
        r#"vas_scaling_info{namespace="ns",scaling="v",environment="dev"} 1"#.to_owned(),
        r#"vas_scaling_observed_generation{namespace="ns",scaling="v"} 3"#.to_owned(),
        format!(r#"vas_workload_condition{{{api},type="ScalingActive",status="False",reason="FailedGetPodsMetric"}} 1"#),
        format!(r#"vas_workload_condition{{{api},type="ScalingLimited",status="True",reason="TooManyReplicas"}} 1"#),
        format!(r#"vas_workload_condition{{{api},type="AbleToScale",status="True",reason="ReadyForNewScale"}} 1"#),
        format!(r#"vas_workload_info{{{api},kind="Deployment",target="gateway",hpa="v-api"}} 1"#),
        format!(r#"vas_workload_info{{{batch},kind="Job",target="batch",hpa="v-batch"}} 1"#),
        format!(r#"vas_workload_metric_proposed_replicas{{{api},metric="busy"}} 10"#),
        format!(r#"vas_workload_metric_target{{{api},metric="busy"}} 70"#),
        format!(r#"vas_workload_metric_value{{{api},metric="busy"}} 140"#),
        format!(r#"vas_workload_rescales_total{{{api},direction="up"}} 0"#),
        format!(r#"vas_workload_rescales_total{{{api},direction="down"}} 0"#),
        format!(r#"vas_workload_served_metrics{{{api},group="custom.metrics.k8s.io"}} 0"#),
        format!(r#"vas_workload_served_metrics{{{api},group="external.metrics.k8s.io"}} 0"#),
    ];
    for (family, value) in [
        ("disruptions_allowed", 1),
        ("replicas_current", 5),
        ("replicas_desired", 5),
        ("replicas_max", 5),
        ("replicas_min", 2),
        ("replicas_ready", 4),
        ("suspended", 0),
    ] {
        wanted.push(format!("vas_workload_{family}{{{api}}} {value}"));
    }
    let mut lines = lines;
    lines.sort();
    wanted.sort();
    assert_eq!(lines, wanted);
}

#[test]
fn the_least_detail_keeps_what_is_not_fine() {
    let lines = exported(Detail::Resource, Some(content()), 2);
    let of_workloads: Vec<&String> = lines
        .iter()
        .filter(|line| line.starts_with("vas_workload_"))
        .collect();
    assert_eq!(of_workloads.len(), 2, "{lines:#?}");
    assert!(of_workloads[0].contains("FailedGetPodsMetric") && of_workloads[1].contains("TooManyReplicas"));
}

#[test]
fn a_workload_of_one_fixed_number_is_not_short_of_replicas() {
    let lines = exported(Detail::Resource, Some(content()), 5);
    assert!(
        !lines.iter().any(|line| line.contains("TooManyReplicas")),
        "{lines:#?}"
    );
}

#[test]
fn one_that_does_not_parse_or_has_no_status_has_nothing_but_its_name() {
    for content in [None, Some(json!({"spec": {"workloads": []}}))] {
        let lines = exported(Detail::Full, content, 2);
        assert_eq!(
            lines,
            [
                r#"vas_scaling_generation{namespace="ns",scaling="v"} 4"#,
                r#"vas_scaling_info{namespace="ns",scaling="v",environment=""} 1"#,
            ]
        );
    }
}
