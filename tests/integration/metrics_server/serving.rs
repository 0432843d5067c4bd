//! Reads through the aggregation layer, as kubectl and the HPA send them.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::stack::{Stack, apply, deployment, pods, stack};
use support::{eventually, namespace::Namespace};

/// A worker whose depth comes from its own gauge, and one metric by an author's own query.
fn spec(target: &str) -> String {
    format!(
        "
workloads:
- name: worker
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {target}}}
  maxReplicas: 3
  metrics:
  - name: depth
    queueDepth: {{gauge: serving_depth, target: {{averageValue: '50'}}}}
  - name: own
    prometheus: {{query: max(serving_depth), target: {{value: '50'}}}}
  - name: rate
    requestRate: {{counter: serving_requests_total, window: 10s, target: {{averageValue: '100'}}}}
"
    )
}

fn path(version: &str, namespace: &Namespace<'_>, rest: &str) -> String {
    format!(
        "/apis/custom.metrics.k8s.io/{version}/namespaces/{}/{rest}",
        namespace.name()
    )
}

/// Reads until there is an answer.
async fn read(stack: &Stack, path: &str) -> Value {
    eventually(Duration::from_secs(90), path, || async { stack.get(path) }).await
}

#[tokio::test]
async fn both_versions_carry_the_same_values() {
    let stack = stack().await;
    let namespace = stack.scaling("serving", &spec("worker"));
    namespace.apply(&deployment("worker", 2));
    stack
        .exporter
        .set("serving_depth", &[("namespace", namespace.name())], 12.5);
    let object = "deployments.apps/worker/depth";
    let newer = read(stack, &path("v1beta2", &namespace, object)).await;
    let older = read(stack, &path("v1beta1", &namespace, object)).await;
    assert_eq!(newer["items"][0]["metric"]["name"], "depth");
    assert_eq!(older["items"][0]["metricName"], "depth");
    for list in [&newer, &older] {
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
        assert_eq!(list["items"][0]["value"], "12500m");
        assert_eq!(list["items"][0]["describedObject"]["kind"], "Deployment");
    }

    let started = std::time::Instant::now();
    let live = eventually(Duration::from_secs(60), "both pods have a rate", || async {
        let live = pods(&namespace, "worker");
        for pod in live.iter().map(String::as_str).chain(["gone"]) {
            let labels = [("namespace", namespace.name()), ("pod", pod)];
            stack.exporter.set(
                "serving_requests_total",
                &labels,
                40.0 * started.elapsed().as_secs_f64(),
            );
        }
        let list = stack.get(&path(
            "v1beta2",
            &namespace,
            "pods/*/rate?labelSelector=app%3Dworker",
        ))?;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let read: BTreeSet<String> = items.iter().map(name).collect();
        if items.iter().any(|item| item["windowSeconds"] != 10) {
            return Err(format!("a rate without its window: {list}"));
        }
        let live: BTreeSet<String> = live.into_iter().collect();
        if read == live && live.len() == 2 {
            Ok(live)
        } else {
            Err(format!("{read:?} instead of {live:?}"))
        }
    })
    .await;
    assert!(!live.contains("gone"));
}

fn name(item: &Value) -> String {
    item["describedObject"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn discovery_lists_the_same_few_kinds_whatever_is_installed() {
    let stack = stack().await;
    let before = stack.get("/apis/custom.metrics.k8s.io/v1beta2").unwrap();
    let _namespace = stack.scaling("discovery", &spec("worker"));
    let after = stack.get("/apis/custom.metrics.k8s.io/v1beta2").unwrap();
    assert_eq!(before, after);
    assert!(
        before["resources"]
            .as_array()
            .is_some_and(|list| !list.is_empty()),
        "{before}"
    );
    let group = stack.get("/apis/custom.metrics.k8s.io").unwrap();
    assert_eq!(group["preferredVersion"]["version"], "v1beta2", "{group}");
    assert_eq!(group["versions"].as_array().map(Vec::len), Some(2), "{group}");
}

#[tokio::test]
async fn equal_metric_names_in_one_namespace_never_mix() {
    let stack = stack().await;
    let namespace = stack.scaling("identity", &spec("worker"));
    apply(&namespace, "second", &spec("other"));
    namespace.apply(&deployment("worker", 1));
    stack
        .exporter
        .set("serving_depth", &[("namespace", namespace.name())], 3.0);
    let one = "metricLabelSelector=scaling.voiceassist.io%2Fname%3Dvoiceassist%2Cscaling.voiceassist.io%2Fworkload%3Dworker";
    let pod = eventually(Duration::from_secs(60), "the pod is there", || async {
        pods(&namespace, "worker").pop().ok_or("no pod yet")
    })
    .await;
    let requests = [("namespace", namespace.name()), ("pod", pod.as_str())];
    stack.exporter.set("serving_requests_total", &requests, 1.0);
    read(stack, &path("v1beta2", &namespace, &format!("pods/*/rate?{one}"))).await;
    let ambiguous = stack
        .get(&path("v1beta2", &namespace, "pods/*/rate"))
        .unwrap_err();
    assert!(
        ambiguous.contains("BadRequest") && ambiguous.contains("ambiguous"),
        "{ambiguous}"
    );
    assert!(
        ambiguous.contains("second/worker and voiceassist/worker"),
        "{ambiguous}"
    );
}

#[tokio::test]
async fn an_own_query_reads_its_own_namespace_only() {
    let stack = stack().await;
    let namespace = stack.scaling("own", &spec("worker"));
    stack
        .exporter
        .set("serving_depth", &[("namespace", namespace.name())], 2.0);
    stack
        .exporter
        .set("serving_depth", &[("namespace", "a-stranger")], 1_000_000.0);
    let list = read(stack, &path("v1beta2", &namespace, "deployments.apps/worker/own")).await;
    assert_eq!(list["items"][0]["value"], "2", "{list}");
}

#[tokio::test]
async fn errors_name_the_resource_the_metric_and_the_cause() {
    let stack = stack().await;
    let namespace = stack.scaling("errors", &spec("worker"));
    // The values of both resources come from one answer of Prometheus.
    let other = stack.scaling("errors-other", &spec("worker"));
    stack
        .exporter
        .set("serving_depth", &[("namespace", other.name())], 7.0);
    read(stack, &path("v1beta2", &other, "deployments.apps/worker/depth")).await;
    let expected = format!(
        "metric depth of {}/voiceassist (workload worker): Prometheus has no series for it",
        namespace.name()
    );
    eventually(Duration::from_secs(60), "the error is the right one", || async {
        match stack.get(&path("v1beta2", &namespace, "deployments.apps/worker/depth")) {
            Err(words) if words.contains(&expected) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    for (rest, words) in [
        (
            "deployments.apps/worker/unknown",
            ["NotFound", "the server could not find the metric unknown for "],
        ),
        (
            "deployments.apps/other/depth",
            ["NotFound", "the server could not find the metric depth for "],
        ),
        (
            "pods/*/depth",
            ["NotFound", "the server could not find the metric depth for "],
        ),
        (
            "metrics/unknown",
            ["NotFound", "the server could not find the metric unknown for "],
        ),
        ("metrics/depth", ["ServiceUnavailable", &expected]),
        (
            "pods/*/rate?labelSelector=a+in",
            ["BadRequest", "bad label selector"],
        ),
    ] {
        let error = stack.get(&path("v1beta2", &namespace, rest)).unwrap_err();
        assert!(words.iter().all(|words| error.contains(words)), "{rest}: {error}");
    }
}

#[tokio::test]
async fn resources_of_one_shape_share_their_queries() {
    let stack = stack().await;
    let proxy = &stack.proxy;
    let gauge = "shared_shape_depth";
    let spec = format!(
        "
workloads:
- name: worker
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: worker}}
  maxReplicas: 3
  metrics: [{{name: depth, queueDepth: {{gauge: {gauge}, target: {{averageValue: '50'}}}}}}]
"
    );
    let namespaces: Vec<_> = (0..3)
        .map(|n| stack.scaling(&format!("shape-{n}"), &spec))
        .collect();
    for (namespace, depth) in namespaces.iter().zip([1.0, 2.0, 3.0]) {
        stack
            .exporter
            .set(gauge, &[("namespace", namespace.name())], depth);
    }
    for (namespace, depth) in namespaces.iter().zip(["1", "2", "3"]) {
        let list = read(
            stack,
            &path("v1beta2", namespace, "deployments.apps/worker/depth"),
        )
        .await;
        assert_eq!(list["items"][0]["value"], depth);
    }
    let queries = proxy.queries();
    let distinct: BTreeSet<&String> = queries.iter().filter(|query| query.contains(gauge)).collect();
    assert_eq!(
        distinct.len(),
        2,
        "one query for the values and one for their times: {distinct:?}"
    );
}
