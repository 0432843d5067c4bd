use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::json;

use crate::metrics::{exported::Exported, past::with_past};

use super::*;
use crate::metrics::path::Version;
use vas_api::v1alpha1::{OnMissing, VoiceAssistScaling};
use vas_core::{
    metrics::{
        freshness::Failure,
        promql::{Answer, ByName, Item, Labels, Matchers, Refusal, Source, Sources},
    },
    spec::model::ScalingKey,
};

const NOW: Duration = Duration::from_secs(1000);

fn sources() -> Sources {
    let source = Source {
        labels: Labels {
            namespace: "namespace".parse().unwrap(),
            pod: "pod".parse().unwrap(),
            matchers: Matchers::default(),
        },
        bind_queries: true,
    };
    [("default".to_owned(), source)].into_iter().collect()
}

/// A resource with a gateway, and a worker that scales by the depth of its queue.
fn scaling(name: &str) -> VoiceAssistScaling {
    let workload = |workload: &str, metric: serde_json::Value| {
        json!({
            "name": workload,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("{name}-{workload}")},
            "maxReplicas": 5,
            "metrics": [metric],
        })
    };
    serde_json::from_value(json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"namespace": "ns", "name": name, "uid": "1", "generation": 1},
        "spec": {"workloads": [
            workload("gateway", json!({"name": "rate", "requestRate": {"counter": "requests_total", "target": {"averageValue": "100"}}})),
            workload("worker", json!({"name": "depth", "queueDepth": {"gauge": "depth", "target": {"averageValue": "50"}}})),
        ]},
    }))
    .unwrap()
}

fn memory(resources: &[&str]) -> Memory {
    let memory = Memory {
        registry: Arc::new(Registry::new(sources())),
        store: Arc::default(),
        pods: Arc::default(),
        resource_names: Arc::default(),
        external_metrics: true,
    };
    for name in resources {
        memory.registry.apply(&scaling(name));
    }
    for (name, app) in [
        ("one-gateway-a", "one"),
        ("one-gateway-b", "one"),
        ("two-gateway-a", "two"),
    ] {
        memory.pods.apply(&ObjectMeta {
            namespace: Some("ns".to_owned()),
            name: Some(name.to_owned()),
            labels: Some(BTreeMap::from([("app".to_owned(), app.to_owned())])),
            ..ObjectMeta::default()
        });
    }
    memory
}

/// Answers every shape: each live pod has 10 requests per second, a deleted pod 99, and the depth is 7.
fn answer(memory: &Memory) {
    let item = |pod: &str, value| Item {
        labels: ByName::from([("namespace", "ns".into()), ("pod", pod.into())]),
        time: 100.0,
        value,
    };
    let pods = ["one-gateway-a", "one-gateway-b", "two-gateway-a", "gone"];
    for (_, entry) in memory.registry.entries() {
        for metric in &entry.metrics {
            let shape = metric.shape.clone().unwrap();
            let (values, times): (Vec<_>, Vec<_>) = if metric.describes_pods() {
                let rate = |pod: &str| if pod == "gone" { 99.0 } else { 10.0 };
                (
                    pods.map(|pod| item(pod, rate(pod))).to_vec(),
                    pods.map(|pod| item(pod, 98.0)).to_vec(),
                )
            } else {
                (vec![item("", 7.0)], vec![item("", 98.0)])
            };
            memory.store.record(
                &shape,
                Answer::join(&shape, &values, &times, NOW)
                    .map(|answer| with_past(answer, &shape))
                    .map_err(|_| unreachable!()),
                &memory.pods,
            );
        }
    }
}

fn read(
    memory: &Memory,
    resource: &str,
    name: &str,
    metric: &str,
    selectors: (&str, &str),
) -> Result<Vec<(String, String)>, StatusError> {
    let path = MetricPath {
        version: Version::V1Beta2,
        namespace: "ns".to_owned(),
        resource: resource.to_owned(),
        name: name.to_owned(),
        metric: metric.to_owned(),
    };
    let selectors = Selectors {
        objects: selectors.0.to_owned(),
        metric: selectors.1.to_owned(),
    };
    let now = Now {
        wall: Timestamp::UNIX_EPOCH,
        monotonic: NOW,
    };
    let values = memory.read(&path, &selectors, now)?;
    Ok(values
        .into_iter()
        .map(|value| (value.object.name, value.value))
        .collect())
}

const ONE: &str = "scaling.voiceassist.io/name=one,scaling.voiceassist.io/workload=gateway";

/// A resource whose workload has a gauge of pods and a query for pods.
fn of_pods() -> VoiceAssistScaling {
    let mut scaling = scaling("one");
    let metric = |name: &str, source: serde_json::Value| {
        let mut source = source;
        source["target"] = json!({"averageValue": "5"});
        json!({"name": name, "podGauge": source})
    };
    scaling.spec.workloads[0].metrics = serde_json::from_value(json!([
        metric("busy", json!({"gauge": "busy"})),
        metric(
            "ratio",
            json!({"query": "sum by (pod) (busy) / sum by (pod) (all)"})
        ),
    ]))
    .unwrap();
    scaling
}

#[test]
fn a_gauge_and_a_query_of_pods_are_read_like_a_rate() {
    let memory = memory(&[]);
    memory.registry.apply(&of_pods());
    let item = |labels: &[(&'static str, &str)], value| Item {
        labels: labels
            .iter()
            .map(|(name, value)| (*name, (*value).into()))
            .collect(),
        time: 100.0,
        value,
    };
    for (_, entry) in memory.registry.entries() {
        for metric in entry.metrics.iter().filter(|metric| metric.describes_pods()) {
            let shape = metric.shape.clone().unwrap();
            let (values, times) = if shape.age.is_some() {
                let pod = [("namespace", "ns"), ("pod", "one-gateway-a")];
                (vec![item(&pod, 3.0)], vec![item(&pod, 98.0)])
            } else {
                // The query has aggregated the namespace label away; the pod of another workload is not
                // selected.
                let pod = |name, value| item(&[("pod", name)], value);
                (
                    vec![pod("one-gateway-b", 0.5), pod("two-gateway-a", 0.9)],
                    Vec::new(),
                )
            };
            let answer = Answer::join(&shape, &values, &times, NOW)
                .map(|answer| with_past(answer, &shape))
                .map_err(|_| unreachable!());
            memory.store.record(&shape, answer, &memory.pods);
        }
    }
    let pods = |metric: &str| read(&memory, "pods", "*", metric, ("app=one", ONE)).unwrap();
    assert_eq!(pods("busy"), [("one-gateway-a".to_owned(), "3".to_owned())]);
    assert_eq!(pods("ratio"), [("one-gateway-b".to_owned(), "500m".to_owned())]);
}

#[test]
fn a_pods_read_holds_exactly_the_live_pods_that_are_selected() {
    let memory = memory(&["one"]);
    answer(&memory);
    let read = read(&memory, "pods", "*", "rate", ("app=one", ONE)).unwrap();
    assert_eq!(
        read,
        [
            ("one-gateway-a".to_owned(), "10".to_owned()),
            ("one-gateway-b".to_owned(), "10".to_owned())
        ]
    );
}

#[test]
fn one_pod_can_be_read_by_name() {
    let memory = memory(&["one"]);
    answer(&memory);
    assert_eq!(
        read(&memory, "pods", "one-gateway-b", "rate", ("", ""))
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        read(&memory, "pods", "gone", "rate", ("", ""))
            .unwrap_err()
            .code(),
        503
    );
}

#[test]
fn an_object_read_is_about_the_scale_target_and_nothing_else() {
    let memory = memory(&["one"]);
    answer(&memory);
    assert_eq!(
        read(&memory, "deployments.apps", "one-worker", "depth", ("", "")).unwrap(),
        [("one-worker".to_owned(), "7".to_owned())]
    );
    for (resource, name, metric) in [
        ("deployments.apps", "one-gateway", "depth"),
        ("deployments.apps", "*", "depth"),
        ("statefulsets.apps", "one-worker", "depth"),
        ("deployments", "one-worker", "depth"),
        ("deployments.apps", "one-worker", "rate"),
        ("pods", "*", "depth"),
        ("pods", "*", "nothing"),
    ] {
        let error = read(&memory, resource, name, metric, ("", "")).unwrap_err();
        assert_eq!(error.code(), 404, "{resource} {name} {metric}");
    }
}

#[test]
fn equal_names_are_told_apart_by_the_selector_and_never_summed() {
    let memory = memory(&["one", "two"]);
    answer(&memory);
    let error = read(&memory, "pods", "*", "rate", ("app=one", "")).unwrap_err();
    assert_eq!(error.code(), 400);
    assert!(
        error.to_string().contains("one/gateway and two/gateway"),
        "{error}"
    );
    assert!(read(&memory, "pods", "*", "rate", ("app=one", ONE)).is_ok());
    // An Object metric is identified by the described object as well.
    assert!(read(&memory, "deployments.apps", "two-worker", "depth", ("", "")).is_ok());
    let nobody = "scaling.voiceassist.io/name=three";
    assert_eq!(
        read(&memory, "pods", "*", "rate", ("", nobody))
            .unwrap_err()
            .code(),
        404
    );
}

#[test]
fn selectors_that_do_not_parse_are_bad_requests() {
    let memory = memory(&["one"]);
    assert_eq!(
        read(&memory, "pods", "*", "rate", ("a in", ""))
            .unwrap_err()
            .code(),
        400
    );
    assert_eq!(
        read(&memory, "pods", "*", "rate", ("", ",")).unwrap_err().code(),
        400
    );
}

#[test]
fn the_error_names_the_resource_the_metric_and_the_cause() {
    let memory = memory(&["one"]);
    let error =
        |memory: &Memory| read(memory, "deployments.apps", "one-worker", "depth", ("", "")).unwrap_err();
    assert_eq!(error(&memory).code(), 503);
    assert_eq!(
        error(&memory).to_string(),
        "metric depth of ns/one (workload worker): not polled yet"
    );
    let shape = memory.registry.entries()[0].1.metrics[1].shape.clone().unwrap();
    memory.store.record(
        &shape,
        Err(Failure::Prometheus("Connection refused".into())),
        &memory.pods,
    );
    assert_eq!(
        error(&memory).to_string(),
        "metric depth of ns/one (workload worker): Prometheus: Connection refused"
    );
}

#[test]
fn an_invalid_spec_leaves_the_metrics_as_they_were() {
    let memory = memory(&["one"]);
    answer(&memory);
    let mut broken = scaling("one");
    broken.spec.workloads[1].max_replicas = Some(0);
    memory.registry.apply(&broken);
    assert!(read(&memory, "deployments.apps", "one-worker", "depth", ("", "")).is_ok());
    memory.registry.remove(&ScalingKey {
        namespace: "ns".to_owned(),
        name: "one".to_owned(),
    });
    assert_eq!(
        read(&memory, "deployments.apps", "one-worker", "depth", ("", ""))
            .unwrap_err()
            .code(),
        404
    );
}

#[test]
fn a_thousand_resources_of_one_shape_are_two_shapes() {
    let memory = memory(&[]);
    for n in 0..1000 {
        memory.registry.apply(&scaling(&format!("cr-{n}")));
    }
    let entries = memory.registry.entries();
    let shapes: std::collections::BTreeSet<_> = entries
        .iter()
        .flat_map(|(_, entry)| &entry.metrics)
        .map(|metric| metric.shape.clone().unwrap())
        .collect();
    assert_eq!((entries.len(), shapes.len()), (1000, 2));
}

mod external;
mod namespace;

#[test]
fn a_metric_whose_query_is_refused_is_missing_with_the_limit_as_the_reason_and_never_zero() {
    let memory = memory(&[]);
    let mut scaling = scaling("one");
    let metrics = scaling
        .spec
        .workloads
        .iter_mut()
        .flat_map(|workload| workload.metrics.iter_mut().flatten());
    for metric in metrics {
        metric.on_missing = Some(OnMissing::Zero);
    }
    memory.registry.apply(&scaling);
    answer(&memory);
    let depth = || read(&memory, "deployments.apps", "one-worker", "depth", ("", ""));
    assert!(depth().is_ok());
    let refusal = Refusal::Namespace { limit: 16 };
    let entries = memory.registry.entries();
    let shapes = entries[0]
        .1
        .metrics
        .iter()
        .map(|metric| (metric.shape.clone().unwrap(), refusal));
    let refused = BTreeMap::from([("ns".to_owned(), shapes.collect())]);
    memory.store.refuse(refused);
    let words = "this namespace has reached the limit of 16 different queries";
    for answer in [depth(), read(&memory, "pods", "*", "rate", ("", ""))] {
        let error = answer.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    for metric in &entries[0].1.metrics {
        assert_eq!(memory.missing(metric, NOW), Some(Missing::Refused(refusal)));
    }
}

#[test]
fn a_scrape_has_the_age_of_each_metric_and_why_one_is_missing() {
    let memory = memory(&["one"]);
    let exported = Exported::new(memory.clone());
    let scrape = |at: Duration| exported.parts(at).concat();
    let labels = |workload: &str, metric: &str| {
        format!(r#"{{namespace="ns",scaling="one",workload="{workload}",metric="{metric}""#)
    };
    let new = scrape(NOW);
    for (workload, metric) in [("gateway", "rate"), ("worker", "depth")] {
        let of = labels(workload, metric);
        assert!(
            new.contains(&format!(r#"metric_missing{of},reason="not-polled-yet"}} 1"#)),
            "{new}"
        );
        assert!(
            new.contains(&format!("metric_max_age_seconds{of}}} 120")),
            "{new}"
        );
    }
    assert!(!new.contains("metric_age_seconds"), "{new}");
    answer(&memory);
    // The samples were 2 s old when Prometheus was asked, which is 3 s ago.
    let fresh = scrape(NOW + Duration::from_secs(3));
    let late = scrape(NOW + Duration::from_secs(600));
    for (workload, metric) in [("gateway", "rate"), ("worker", "depth")] {
        let of = labels(workload, metric);
        assert!(
            fresh.contains(&format!("metric_age_seconds{of}}} 5\n")),
            "{fresh}"
        );
        assert!(
            late.contains(&format!("metric_age_seconds{of}}} 602\n")),
            "{late}"
        );
        assert!(
            late.contains(&format!(r#"metric_missing{of},reason="too-old"}} 1"#)),
            "{late}"
        );
    }
    assert!(!fresh.contains("metric_missing"), "{fresh}");
}

#[test]
fn a_scrape_tells_the_workload_of_each_pod_that_shows_its_target() {
    let memory = memory(&["one", "two"]);
    memory.pods.apply(&ObjectMeta {
        namespace: Some("ns".to_owned()),
        name: Some("two-worker-7c9-x1".to_owned()),
        labels: Some(BTreeMap::from([(
            "pod-template-hash".to_owned(),
            "7c9".to_owned(),
        )])),
        ..ObjectMeta::default()
    });
    let text = Exported::new(memory).parts(NOW).concat();
    let series: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("vas_pod_info{"))
        .collect();
    // The pods of `memory` show no target.
    assert_eq!(
        series,
        [r#"vas_pod_info{namespace="ns",pod="two-worker-7c9-x1",scaling="two",workload="worker"} 1"#]
    );
}

#[test]
fn a_metric_that_is_never_polled_says_why_to_the_condition_and_to_a_scrape() {
    let memory = memory(&[]);
    let mut unsuitable = scaling("one");
    for workload in &mut unsuitable.spec.workloads {
        for metric in workload.metrics.iter_mut().flatten() {
            metric.prometheus_server = Some("unknown".to_owned());
        }
    }
    memory.registry.apply(&unsuitable);
    let metrics = &memory.registry.entries()[0].1.metrics;
    assert!(!metrics.is_empty());
    for metric in metrics {
        let missing = memory.missing(metric, NOW).map(|missing| missing.cause());
        assert!(
            missing.is_some_and(|cause| cause.contains("\"unknown\" is not configured")),
            "{}",
            metric.name
        );
    }
    let text = Exported::new(memory.clone()).parts(NOW).concat();
    assert_eq!(
        text.matches(r#"reason="unsuitable"} 1"#).count(),
        metrics.len(),
        "{text}"
    );
}
