//! Imports `ScaledObject`s as people write them.

use serde_json::{Value, json};

use super::*;

fn object(spec: Value) -> Value {
    let mut object = json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "worker", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"name": "worker"}, "minReplicaCount": 1, "maxReplicaCount": 10, "triggers": [query(json!({}))]},
    });
    object["spec"]
        .as_object_mut()
        .unwrap()
        .extend(spec.as_object().unwrap().clone());
    object
}

/// A Prometheus trigger whose query stays in the namespace.
fn query(metadata: Value) -> Value {
    let mut trigger = json!({"type": "prometheus", "metadata": {
        "serverAddress": "http://prometheus.monitoring:9090", "threshold": "100",
        "query": "sum(rate(jobs_total{namespace=\"shop\"}[2m]))",
    }});
    trigger["metadata"]
        .as_object_mut()
        .unwrap()
        .extend(metadata.as_object().unwrap().clone());
    trigger
}

fn import(spec: Value) -> Assembled {
    convert("imported", "namespace", &[object(spec)]).unwrap()
}

fn workload(assembled: &Assembled) -> Value {
    let [resource] = assembled.resources.as_slice() else {
        panic!("{assembled:#?}")
    };
    assert_eq!(vas_core::spec::rules::validate(&resource.object).violations, []);
    serde_json::to_value(&resource.object.spec.workloads[0]).unwrap()
}

fn refused(assembled: &Assembled, words: &str) {
    assert!(
        assembled.refused.iter().any(|one| one.why.contains(words)),
        "{words}: {assembled:#?}"
    );
}

fn commented(assembled: &Assembled, words: &str) {
    let comments = &assembled.resources[0].comments;
    assert!(
        comments.iter().any(|comment| comment.contains(words)),
        "{words}: {comments:#?}"
    );
}

#[test]
fn a_query_of_its_namespace_is_taken_as_it_is() {
    let assembled = import(json!({}));
    assert_eq!(
        workload(&assembled),
        json!({
            "name": "worker", "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"},
            "minReplicas": 1, "maxReplicas": 10,
            "metrics": [{"name": "prometheus", "onMissing": "Zero", "prometheus": {
                "query": "sum(rate(jobs_total{namespace=\"shop\"}[2m]))", "target": {"averageValue": "100"},
            }}],
        })
    );
    assert_eq!(assembled.refused, []);
    commented(&assembled, "ignoreNullValues: true, KEDA's default");
    assert!(assembled.notes[0].contains("http://prometheus.monitoring:9090"));
}

#[test]
fn a_gauge_of_its_namespace_is_a_queue() {
    let trigger =
        query(json!({"query": "max(depth{namespace=\"shop\",queue=\"mail\"})", "ignoreNullValues": "false"}));
    assert_eq!(
        workload(&import(json!({"triggers": [trigger]})))["metrics"],
        json!([{"name": "prometheus", "onMissing": "Hold", "queueDepth": {
            "gauge": "depth", "matchLabels": {"queue": "mail"}, "aggregation": "Max", "target": {"averageValue": "100"},
        }}])
    );
}

#[test]
fn a_query_that_reads_more_is_listed_and_not_narrowed() {
    for text in [
        "sum(rate(jobs_total[2m]))",
        "sum(rate(jobs_total{namespace=\"prod\"}[2m]))",
        "sum(rate(jobs_total{namespace=~\"shop|prod\"}[2m]))",
        "sum(rate(jobs_total{namespace=\"shop\"}[2m])) / scalar(sum(all_jobs))",
    ] {
        let assembled = import(json!({"triggers": [query(json!({"query": text}))]}));
        refused(&assembled, "queryNamespaceMatcher: false");
        assert_eq!(assembled.resources, [], "{text}");
    }
    let mut unknown = object(json!({}));
    unknown["metadata"] = json!({"name": "worker"});
    let assembled = convert("imported", "namespace", &[unknown]).unwrap();
    refused(&assembled, "does not say its metadata.namespace");
    let other = query(json!({"query": "sum(rate(jobs_total{kube_ns=\"shop\"}[2m]))"}));
    let assembled = convert("imported", "kube_ns", &[object(json!({"triggers": [other]}))]).unwrap();
    assert_eq!(assembled.refused, []);
}

#[test]
fn cpu_and_memory_are_taken_with_their_type() {
    let triggers = json!([
        {"type": "cpu", "metricType": "Utilization", "metadata": {"value": 60}},
        {"type": "memory", "metadata": {"type": "AverageValue", "value": "1Gi", "containerName": "app"}},
    ]);
    let assembled = import(json!({"triggers": triggers, "minReplicaCount": 0}));
    let workload = workload(&assembled);
    assert_eq!(
        workload["metrics"],
        json!([
            {"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 60}}},
            {"name": "app-memory", "containerResource": {"name": "memory", "container": "app", "target": {"averageValue": "1Gi"}}},
        ])
    );
    assert_eq!(workload["minReplicas"], json!(1));
    commented(&assembled, "have no value without a pod");
}

#[test]
fn without_a_trigger_that_scaled_it_a_workload_is_suspended() {
    for (trigger, words) in [
        (
            json!({"type": "cron", "metadata": {"start": "0 8 * * *"}}),
            "write an entry of schedules",
        ),
        (json!({"type": "kafka", "metadata": {}}), "asks its source itself"),
        (query(json!({"query": "sum(everything)"})), "reads more"),
        (query(json!({"namespace": "shop"})), "metadata.namespace"),
    ] {
        let assembled = import(json!({"triggers": [query(json!({})), trigger]}));
        refused(&assembled, words);
        assert_eq!(workload(&assembled)["suspend"], json!(true), "{words}");
        commented(&assembled, "suspended");
    }
}

#[test]
fn what_has_no_counterpart_is_listed_and_does_not_suspend() {
    let trigger = query(json!({"activationThreshold": "5"}));
    let assembled = import(json!({
        "triggers": [trigger], "minReplicaCount": 0, "idleReplicaCount": 0, "cooldownPeriod": 60, "initialCooldownPeriod": 5,
        "fallback": {"failureThreshold": 3, "replicas": 6}, "pollingInterval": 15,
        "advanced": {"restoreToOriginalReplicaCount": true, "horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}}},
    }));
    for words in [
        "above 5",
        "one lower bound",
        "stabilizationWindowSeconds",
        "no fixed count",
        "no such period",
        "leaves the replicas",
    ] {
        refused(&assembled, words);
    }
    let workload = workload(&assembled);
    assert_eq!(workload["suspend"], Value::Null);
    assert_eq!(workload["minReplicas"], json!(0));
    assert_eq!(
        workload["behavior"],
        json!({"scaleDown": {"stabilizationWindowSeconds": 60}})
    );
    commented(&assembled, "HPAScaleToZero");
}

#[test]
fn types_and_defaults_are_kedas() {
    let value = json!({"triggers": [{"type": "prometheus", "name": "load", "metricType": "Value", "metadata": query(json!({"threshold": 2.5}))["metadata"]}]});
    assert_eq!(
        workload(&import(value))["metrics"][0]["prometheus"]["target"],
        json!({"value": "2.5"})
    );
    let mut bare = object(json!({}));
    bare["spec"].as_object_mut().unwrap().remove("maxReplicaCount");
    bare["spec"].as_object_mut().unwrap().remove("minReplicaCount");
    let workload = workload(&convert("imported", "namespace", &[bare]).unwrap());
    assert_eq!(
        (&workload["minReplicas"], &workload["maxReplicas"]),
        (&json!(0), &json!(100))
    );
}

#[test]
fn a_formula_is_not_its_triggers() {
    let assembled = import(json!({"advanced": {"scalingModifiers": {"formula": "a + b", "target": "5"}}}));
    refused(&assembled, "a formula takes the place of the triggers");
    assert_eq!(assembled.resources, []);
}

#[test]
fn a_paused_object_is_suspended() {
    let mut paused = object(json!({}));
    paused["metadata"]["annotations"] = json!({"autoscaling.keda.sh/paused-replicas": "0"});
    let assembled = convert("imported", "namespace", &[paused]).unwrap();
    assert_eq!(workload(&assembled)["suspend"], json!(true));
    refused(&assembled, "suspend holds what there is");
}

#[test]
fn several_servers_get_names_and_one_is_the_default() {
    let other = query(json!({"serverAddress": "https://thanos-query.central:10902/path"}));
    let assembled = import(json!({"triggers": [query(json!({})), other]}));
    let workload = workload(&assembled);
    assert_eq!(workload["metrics"][0]["prometheusServer"], json!("prometheus"));
    assert_eq!(workload["metrics"][1]["prometheusServer"], json!("thanos-query"));
    assert_eq!(workload["metrics"][1]["name"], json!("prometheus-2"));
    assert_eq!(assembled.notes.len(), 2, "{:?}", assembled.notes);
}

#[test]
fn other_objects_are_passed_over_and_jobs_are_listed() {
    let job = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "metadata": {"name": "j"}});
    refused(&convert("imported", "namespace", &[job]).unwrap(), "starts Jobs");
    assert_eq!(
        convert("imported", "namespace", &[json!({"kind": "Deployment"})]),
        Err(KedaError::NoneFound)
    );
    let broken = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "x"}, "spec": {}});
    assert!(matches!(
        convert("imported", "namespace", &[broken]),
        Err(KedaError::Malformed { .. })
    ));
}
