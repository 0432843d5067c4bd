//! All forms of a read: of a namespace, with every operator of selectors, with escapes, with any `Accept`.

use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap},
};
use serde_json::{Value, json};

use super::{
    access::client,
    stack::{Stack, deployment, pods, replicas, stack},
};
use support::{eventually, namespace::Namespace};

const PATIENCE: Duration = Duration::from_secs(90);
const SPEC: &str = "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 3
  metrics:
  - name: depth
    queueDepth: {gauge: reading_depth, target: {averageValue: '50'}}
  - name: rate
    requestRate: {counter: reading_requests_total, window: 10s, target: {averageValue: '100'}}
";

fn path(namespace: &Namespace<'_>, rest: &str) -> String {
    format!(
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/{rest}",
        namespace.name()
    )
}

/// Encodes all characters except letters and digits as `%XX`.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// A namespace with a resource whose depth is 120.
async fn with_depth(stack: &Stack, prefix: &str) -> Namespace<'static> {
    let namespace = stack.scaling(prefix, SPEC);
    stack
        .exporter
        .set("reading_depth", &[("namespace", namespace.name())], 120.0);
    let read = path(&namespace, "metrics/depth");
    eventually(PATIENCE, &read, || async { stack.get(&read) }).await;
    namespace
}

#[tokio::test]
async fn a_namespace_is_described_by_the_numbers_of_its_series() {
    let stack = stack().await;
    let namespace = with_depth(stack, "reading-namespace").await;
    let newer = stack.get(&path(&namespace, "metrics/depth")).unwrap();
    let item = &newer["items"][0];
    assert_eq!(newer["items"].as_array().map(Vec::len), Some(1), "{newer}");
    assert_eq!(
        item["describedObject"],
        json!({"apiVersion": "v1", "kind": "Namespace", "name": namespace.name()})
    );
    assert_eq!(
        (&item["value"], &item["metric"]["name"]),
        (&json!("120"), &json!("depth"))
    );
    let older = path(&namespace, "metrics/depth").replace("v1beta2", "v1beta1");
    let older = stack.get(&older).unwrap();
    assert_eq!(older["items"][0]["metricName"], "depth", "{older}");
    assert_eq!(older["items"][0]["selector"], json!(null), "{older}");
    for (rest, words) in [
        (
            "metrics/rate",
            "the server could not find the metric rate for namespaces ",
        ),
        (
            "metrics/nothing",
            "the server could not find the metric nothing for namespaces ",
        ),
    ] {
        let error = stack.get(&path(&namespace, rest)).unwrap_err();
        assert!(error.contains("NotFound") && error.contains(words), "{error}");
    }
    let error = stack
        .get("/apis/custom.metrics.k8s.io/v1beta2/nodes/one/depth")
        .unwrap_err();
    assert!(
        error.contains("NotFound")
            && error.contains("the server could not find the metric depth for nodes one"),
        "{error}"
    );
}

#[tokio::test]
async fn an_hpa_of_a_users_own_scales_on_a_metric_of_the_namespace() {
    let stack = stack().await;
    let namespace = with_depth(stack, "reading-own-hpa").await;
    namespace.apply(&deployment("other", 1));
    let hpa = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "other"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "other"},
            "maxReplicas": 5,
            "metrics": [{"type": "Object", "object": {
                "describedObject": {"apiVersion": "v1", "kind": "Namespace", "name": namespace.name()},
                "metric": {"name": "depth"},
                "target": {"type": "AverageValue", "averageValue": "40"},
            }}],
        },
    });
    namespace.apply(&hpa.to_string());
    eventually(PATIENCE, "120 waiting jobs are 3 times 40", || async {
        match replicas(&namespace, "other") {
            3 => Ok(()),
            replicas => Err(format!("{replicas} replicas")),
        }
    })
    .await;
}

#[tokio::test]
async fn every_operator_of_selectors_selects_metrics_and_pods() {
    let stack = stack().await;
    let namespace = with_depth(stack, "reading-selectors").await;
    namespace.apply(&deployment("worker", 1));
    let started = std::time::Instant::now();
    let all_pods = path(&namespace, "pods/*/rate");
    eventually(PATIENCE, "the pod has a rate", || async {
        for pod in pods(&namespace, "worker") {
            let labels = [("namespace", namespace.name()), ("pod", pod.as_str())];
            let requests = 40.0 * started.elapsed().as_secs_f64();
            stack.exporter.set("reading_requests_total", &labels, requests);
        }
        stack.get(&all_pods)
    })
    .await;
    let label = "scaling.voiceassist.io/workload";
    for (operators, selected) in [
        ("KEY=worker", true),
        ("KEY==worker", true),
        ("KEY=other", false),
        ("KEY!=other", true),
        ("KEY!=worker", false),
        ("KEY in (other,worker)", true),
        ("KEY in (other)", false),
        ("KEY notin (other)", true),
        ("KEY notin (worker)", false),
        ("KEY", true),
        ("absent!=worker", true),
        ("absent notin (worker)", true),
        ("absent", false),
        ("!absent", true),
        ("!KEY", false),
        ("KEY=worker,!absent,KEY notin (other)", true),
    ] {
        let metric = encode(&operators.replace("KEY", label));
        let objects = encode(&operators.replace("KEY", "app"));
        for (path, refusal) in [
            (
                path(&namespace, &format!("metrics/depth?metricLabelSelector={metric}")),
                "NotFound",
            ),
            (
                path(
                    &namespace,
                    &format!("deployments.apps/worker/depth?metricLabelSelector={metric}"),
                ),
                "NotFound",
            ),
            (
                path(&namespace, &format!("pods/*/rate?labelSelector={objects}")),
                "no live pod matches the selector",
            ),
        ] {
            match stack.get(&path) {
                Ok(list) => assert!(selected, "{operators} selected: {path}: {list}"),
                Err(error) => assert!(
                    !selected && error.contains(refusal),
                    "{operators}: {path}: {error}"
                ),
            }
        }
    }
}

/// A read without kubectl, which would decode the path first.
async fn direct(stack: &Stack, path: &str, accepted: &str) -> (StatusCode, HeaderMap, Value) {
    let port = stack.port;
    let url = format!("https://vas-metrics-server.vas-system.svc:{port}{path}");
    let request = client(stack, port, Some("admin"))
        .get(url)
        .header(ACCEPT, accepted);
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, response.json().await.expect("JSON"))
}

#[tokio::test]
async fn escapes_are_decoded_once_and_after_the_path_is_split() {
    let stack = stack().await;
    let namespace = with_depth(stack, "reading-escapes").await;
    let get = async |rest: &str| {
        let (status, _, body) = direct(stack, &path(&namespace, rest), "application/json").await;
        (status, body["message"].as_str().unwrap_or_default().to_owned())
    };
    for rest in [
        "deployments.apps/worker/depth",
        "%64eployments%2Eapps/w%6Frker/%64epth",
    ] {
        assert_eq!(get(rest).await, (StatusCode::OK, String::new()), "{rest}");
    }
    let not_found = |name: &str, metric: &str| {
        (
            StatusCode::NOT_FOUND,
            format!(
                "the server could not find the metric {metric} for deployments.apps {name} in namespace {}",
                namespace.name()
            ),
        )
    };
    assert_eq!(get("deployments.apps/%2A/none").await, not_found("*", "none"));
    assert_eq!(get("deployments.apps/%252A/none").await, not_found("%2A", "none"));
    assert_eq!(get("deployments.apps/a%2Fb/none").await, not_found("a/b", "none"));
    assert_eq!(
        get("deployments.apps/worker%2Fdepth").await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn json_is_the_answer_whatever_is_accepted() {
    let stack = stack().await;
    let namespace = with_depth(stack, "reading-accept").await;
    for accepted in [
        "application/vnd.kubernetes.protobuf, */*",
        "application/vnd.kubernetes.protobuf",
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        "text/html",
    ] {
        let (status, headers, list) = direct(stack, &path(&namespace, "metrics/depth"), accepted).await;
        assert_eq!(status, StatusCode::OK, "{accepted}");
        assert_eq!(headers[CONTENT_TYPE], "application/json", "{accepted}");
        assert_eq!(list["kind"], "MetricValueList", "{accepted}");
    }
}
