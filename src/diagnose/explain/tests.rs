//! Explanations of situations in which people call `vas explain`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use vas_core::{hpa::Cause, metrics::promql::Matchers};

const NOW: &str = "2026-01-01T00:10:00Z";

fn labels(namespace: &str) -> Labels {
    Labels {
        namespace: namespace.parse().unwrap(),
        pod: "pod".parse().unwrap(),
        matchers: Matchers::default(),
    }
}

fn settings() -> Settings {
    Settings {
        prometheus: Servers::One(labels("namespace")),
        controller: Controller::default(),
    }
}

/// A resource with this workload.
fn resource(workload: Value) -> VoiceAssistScaling {
    let mut whole = json!({
        "name": "api", "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
        "minReplicas": 2, "maxReplicas": 10,
        "metrics": [
            {"name": "rate", "requestRate": {"counter": "requests_total", "target": {"averageValue": "100"}}},
            {"name": "depth", "queueDepth": {"gauge": "depth", "target": {"averageValue": "50"}}},
        ],
    });
    for (field, value) in workload.as_object().unwrap() {
        whole[field] = value.clone();
    }
    serde_json::from_value(json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"name": "v", "namespace": "ns", "uid": "1", "generation": 1},
        "spec": {"workloads": [whole]},
        "status": {"observedGeneration": 1},
    }))
    .unwrap()
}

fn pod(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"app": "api"}},
        "spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "1"}}}]},
        "status": {"phase": "Running", "startTime": "2026-01-01T00:00:00Z", "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:05Z"},
        ]},
    })
}

fn rate(value: &str) -> Value {
    let item = |pod: &str| {
        json!({"describedObject": {"name": pod}, "metric": {"name": "rate"},
                                  "timestamp": "2026-01-01T00:09:53Z", "value": value})
    };
    json!({"items": [item("a"), item("b"), item("c")]})
}

fn depth(value: &str) -> Value {
    json!({"items": [{"describedObject": {"name": "api"}, "timestamp": "2026-01-01T00:09:55Z", "value": value}]})
}

/// A workload with three pods, and with an HPA as the operator writes it, with this status.
fn observed(workload: Value, status: Value, answers: Vec<Result<Value, Unanswered>>) -> Observed {
    let object = resource(workload);
    let resource = ResourceRef::of(&object.metadata).unwrap();
    let asked = asked(&resource, &object, NOW.parse().unwrap()).remove(0);
    let hpa = asked.valid.as_ref().map(|valid| {
        let mut hpa = valid.1.clone();
        hpa.status = serde_json::from_value(status).unwrap();
        hpa
    });
    let scale =
        json!({"metadata": {}, "spec": {"replicas": 3}, "status": {"replicas": 3, "selector": "app=api"}});
    let pods = ["a", "b", "c"].map(|name| serde_json::from_value(pod(name)).unwrap());
    Observed {
        resource,
        object,
        workloads: vec![ObservedWorkload {
            asked,
            hpa: Ok(hpa),
            scale: Ok(serde_json::from_value(scale).unwrap()),
            pods: Ok(pods.to_vec()),
            answers,
        }],
    }
}

fn status(able: &str, limited: &str) -> Value {
    let condition = |type_: &str, reason: &str| json!({"type": type_, "status": "True", "reason": reason});
    json!({"desiredReplicas": 3, "conditions": [condition("AbleToScale", able), condition("ScalingLimited", limited)]})
}

fn calm() -> Value {
    status("ReadyForNewScale", "DesiredWithinRange")
}

fn told(observed: &Observed) -> WorkloadReport {
    let now: Timestamp = NOW.parse().unwrap();
    explain(observed, &settings(), now).workloads.remove(0)
}

#[test]
fn queries_are_those_of_the_server_that_each_metric_names() {
    let server = |name: &str, namespace| {
        let labels = labels(namespace);
        let source = vas_core::metrics::promql::Source {
            labels,
            bind_queries: true,
        };
        (name.to_owned(), source)
    };
    let settings = Settings {
        prometheus: Servers::Named(
            [server("default", "ns"), server("other", "space")]
                .into_iter()
                .collect(),
        ),
        ..settings()
    };
    let of = |name: &str| {
        let workload = json!({"metrics": [{"name": "depth", "prometheusServer": name,
            "queueDepth": {"gauge": "depth", "target": {"averageValue": "50"}}}]});
        let observed = observed(workload, calm(), vec![Ok(depth("40"))]);
        let mut report = explain(&observed, &settings, NOW.parse().unwrap());
        report.workloads.remove(0).metrics.remove(0).query.unwrap()
    };
    assert!(
        of("default").contains("by (ns, pod, instance)"),
        "{}",
        of("default")
    );
    assert!(
        of("other").contains("by (space, pod, instance)"),
        "{}",
        of("other")
    );
    assert!(
        of("third").contains("\"third\" is not configured") && of("third").contains("default, other"),
        "{}",
        of("third")
    );
}

#[test]
fn the_metric_that_asks_for_most_decides_and_each_says_what_it_wants_alone() {
    let report = told(&observed(
        json!({}),
        calm(),
        vec![Ok(rate("150")), Ok(depth("40"))],
    ));
    let lines: Vec<_> = report
        .metrics
        .iter()
        .map(|metric| {
            (
                metric.name.as_str(),
                metric.proposal,
                metric.age_seconds,
                metric.decides,
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("rate", Some(5), Some(7), true),
            ("depth", Some(1), Some(5), false)
        ]
    );
    assert_eq!(
        report.metrics[0].query.as_deref(),
        Some(r#"sum by (namespace, pod) (rate({__name__="requests_total"}[60s]))"#)
    );
    assert_eq!(
        report.summary,
        "api: 3 replicas; rate asks for 5 (150 per pod, target 100 per pod); next 5."
    );
}

#[test]
fn policies_say_how_far_the_next_step_goes_and_where_it_ends() {
    let step =
        json!({"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 30}]}}});
    let report = told(&observed(step, calm(), vec![Ok(rate("300")), Ok(depth("40"))]));
    assert_eq!(
        report.summary,
        "api: 3 replicas; rate asks for 9 (300 per pod, target 100 per pod); \
         the HPA may add 2 pods per 30 s: next 5, 9 in the end."
    );
    assert_eq!(report.scale_up.unwrap().limit, 5);
}

#[test]
fn a_rescale_within_the_period_makes_the_step_uncertain() {
    let step =
        json!({"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 30}]}}});
    let mut status = calm();
    status["lastScaleTime"] = json!("2026-01-01T00:09:45Z");
    let report = told(&observed(
        step.clone(),
        status.clone(),
        vec![Ok(rate("300")), Ok(depth("40"))],
    ));
    assert!(
        report
            .summary
            .ends_with("only the controller knows its last minutes."),
        "{}",
        report.summary
    );
    // The status has whole seconds, so 30 s ago may be a little less.
    status["lastScaleTime"] = json!("2026-01-01T00:09:29Z");
    let report = told(&observed(step, status, vec![Ok(rate("300")), Ok(depth("40"))]));
    assert!(report.decision.unwrap().exact);
}

#[test]
fn a_metric_without_value_blocks_scaling_down_in_the_servers_words() {
    let words = "metric depth of ns/v (workload api): last sample 130s old, maxAge 2m";
    let report = told(&observed(
        json!({}),
        calm(),
        vec![Ok(rate("10")), Err(Unanswered::Missing(words.to_owned()))],
    ));
    assert_eq!(report.metrics[1].error.as_deref(), Some(words));
    assert_eq!(
        report.summary,
        "api: 3 replicas; rate asks for 1 (10 per pod, target 100 per pod); \
         depth has no value, and without it nothing is scaled down: next 3."
    );
}

#[test]
fn without_any_value_the_hpa_holds() {
    let none = || Err(Unanswered::Missing("Prometheus: Connection refused".to_owned()));
    let report = told(&observed(json!({}), calm(), vec![none(), none()]));
    assert_eq!(
        report.summary,
        "api: 3 replicas; no metric has a value (rate, depth), so the HPA holds."
    );
}

#[test]
fn a_hold_is_certain_only_if_the_last_sync_wanted_the_replicas_that_there_are() {
    let answers = || vec![Ok(rate("10")), Ok(depth("40"))];
    let decision = |status| told(&observed(json!({}), status, answers())).decision.unwrap();
    // What it wanted is in the window still.
    let wanted = decision(calm());
    assert_eq!(
        (wanted.desired, wanted.cause, wanted.exact),
        (3, Cause::Stabilized, true)
    );
    // What held the replicas at the last sync may be too old at the next one.
    let stabilized = || status("ScaleDownStabilized", "DesiredWithinRange");
    let held = decision(stabilized());
    assert_eq!(
        (held.desired, held.cause, held.exact),
        (3, Cause::Stabilized, false)
    );
    assert_eq!(
        told(&observed(json!({}), stabilized(), answers())).summary,
        "api: 3 replicas; rate asks for 1 (10 per pod, target 100 per pod); \
         held until no recommendation of the last 300 s was higher: next 3, 2 in the end. \
         As far as can be seen: only the controller knows its last minutes."
    );
    let moving = decision(status("ReadyForNewScale", "ScaleDownLimit"));
    assert_eq!((moving.desired, moving.exact), (2, false));
}

#[test]
fn a_hold_in_a_window_that_is_shorter_than_the_last_sync_may_be_ago_is_not_certain() {
    let short = json!({"behavior": {"scaleDown": {"stabilizationWindowSeconds": 45}}});
    let report = told(&observed(short, calm(), vec![Ok(rate("10")), Ok(depth("40"))]));
    assert!(!report.decision.unwrap().exact);
}

#[test]
fn the_bound_is_named() {
    let report = told(&observed(
        json!({"maxReplicas": 4}),
        calm(),
        vec![Ok(rate("300")), Ok(depth("40"))],
    ));
    assert!(
        report.summary.ends_with("; maxReplicas is 4: next 4."),
        "{}",
        report.summary
    );
    let report = told(&observed(
        json!({"maxReplicas": 2}),
        calm(),
        vec![Ok(rate("300")), Ok(depth("40"))],
    ));
    assert!(
        report.summary.contains("more than maxReplicas 2: next 2"),
        "{}",
        report.summary
    );
}

#[test]
fn a_suspended_workload_stays_whatever_is_asked() {
    let report = told(&observed(
        json!({"suspend": true}),
        calm(),
        vec![Ok(rate("300")), Ok(depth("40"))],
    ));
    assert!(
        report.summary.ends_with("; suspended: next 3."),
        "{}",
        report.summary
    );
    assert_eq!(report.decision.unwrap().cause, Cause::DirectionDisabled);
}

#[test]
fn pods_under_two_hpas_are_scaled_by_neither() {
    let mut status = calm();
    status["conditions"]
        .as_array_mut()
        .unwrap()
        .push(json!({"type": "ScalingActive", "status": "False", "reason": "AmbiguousSelector"}));
    let report = told(&observed(
        json!({}),
        status,
        vec![Ok(rate("300")), Ok(depth("40"))],
    ));
    assert!(
        report.summary.contains("another HPA selects the same pods"),
        "{}",
        report.summary
    );
}

#[test]
fn zero_by_hand_switches_autoscaling_off() {
    let mut zero = observed(json!({}), calm(), vec![Ok(rate("300")), Ok(depth("400"))]);
    let scale =
        json!({"metadata": {}, "spec": {"replicas": 0}, "status": {"replicas": 0, "selector": "app=api"}});
    zero.workloads[0].scale = Ok(serde_json::from_value(scale).unwrap());
    assert!(told(&zero).summary.contains("switches autoscaling off"));
}

#[test]
fn an_hpa_that_is_not_there_yet_is_explained_as_it_would_be_written() {
    let mut none = observed(json!({}), calm(), vec![Ok(rate("150")), Ok(depth("40"))]);
    none.workloads[0].hpa = Ok(None);
    let report = told(&none);
    assert!(!report.hpa.exists);
    assert_eq!(report.decision.unwrap().desired, 5);
    assert!(
        report
            .summary
            .ends_with("There is no HPA yet; this is what the one that the operator writes would do.")
    );
}

#[test]
fn what_cannot_be_read_is_said_and_judges_nothing() {
    let mut unread = observed(json!({}), calm(), vec![]);
    unread.workloads[0].scale = Err("deployments.apps \"api\" not found".to_owned());
    let report = told(&unread);
    assert!(report.decision.is_none());
    assert_eq!(
        report.summary,
        "api: cannot say: the scale of Deployment/api cannot be read: deployments.apps \"api\" not found."
    );
}

#[test]
fn a_switched_off_metric_is_mentioned() {
    let metrics = json!({"metrics": [
        {"name": "rate", "requestRate": {"counter": "c", "target": {"averageValue": "100"}}},
        {"name": "old", "enabled": false, "queueDepth": {"gauge": "g", "target": {"value": "1"}}},
    ]});
    let report = told(&observed(metrics, calm(), vec![Ok(rate("100"))]));
    assert_eq!(report.notes, ["old is switched off in the spec (enabled: false)"]);
    assert_eq!(report.metrics.len(), 1);
}

#[test]
fn a_metric_that_the_reader_may_not_read_is_not_missing_to_the_hpa() {
    let forbidden = Err(Unanswered::Forbidden(
        "pods.custom.metrics.k8s.io is forbidden".to_owned(),
    ));
    let report = told(&observed(json!({}), calm(), vec![forbidden, Ok(depth("40"))]));
    assert!(report.decision.is_none());
    assert_eq!(report.metrics[1].proposal, Some(1));
    assert_eq!(
        report.summary,
        "api: cannot say: you may not read rate, which the HPA reads with rights of its own."
    );
}
