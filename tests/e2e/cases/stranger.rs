//! What a pod of another namespace learns, where the network lets it ask: no value by the metrics API, and of `/metrics`, which
//! is for Prometheus, no query (docs/security.md 2.6). The bridge network of the tests enforces no `NetworkPolicy`, so identity
//! alone keeps it out.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::{INSTALLED, NAMESPACE, Stage};

const STRANGER: &str = "stranger";
/// How the HPA of the workers reads the depth of their queue.
const DEPTH: &str = "deployments.apps/worker/queue-depth";

/// It asks the metrics API through the API server and directly, as nobody, as itself and as a forger of the proxy's
/// headers, and reads `/metrics` of all vas programs.
pub(crate) async fn learns_nothing(stage: &Stage) -> String {
    let path = format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/{NAMESPACE}/{DEPTH}");
    // The path is right: who may read it, can.
    let known = stage.cluster.kubectl_ok(&["get", "--raw", &path], None);
    assert!(known.contains("\"value\""), "{known}");
    let guarded = [
        format!("https://vas-metrics-server.{INSTALLED}.svc{path}"),
        format!("https://kubernetes.default.svc{path}"),
    ];
    let open = ["vas-metrics-server", "vas-operator"]
        .map(|pod| format!("http://{pod}.{INSTALLED}.svc:8080/metrics"));
    let answers = ask(stage, guarded.iter().chain(&open).map(String::as_str).collect()).await;
    let mut refused = Vec::new();
    for answer in &answers {
        let (url, body) = (&answer["url"], answer["body"].as_str().unwrap_or_default());
        if open.iter().any(|open| url == open) {
            assert_eq!(answer["status"], 200, "{answer}");
            assert!(body.contains("# TYPE vas_"), "{url} says nothing of vas: {body}");
            for series in ["voiceassist_queue_depth", "voiceassist_http_requests_total"] {
                assert!(!body.contains(series), "{url} names {series}:\n{body}");
            }
        } else {
            let status = answer["status"].as_u64();
            let kept = status.is_some_and(|status| status == 401 || status == 403);
            assert!(kept && !body.contains("\"value\""), "{answer}");
            refused.push(format!(
                "{}: {}",
                text(&answer["asker"]),
                status.unwrap_or_default()
            ));
        }
    }
    assert_eq!(refused.len(), 6, "{answers:?}");
    format!("refused: {}; no query in /metrics", refused.join(", "))
}

/// Runs a pod that asks, under an account of its own namespace, and returns its answers.
async fn ask(stage: &Stage, urls: Vec<&str>) -> Vec<Value> {
    let cluster = &stage.cluster;
    let args: Vec<&str> = std::iter::once("ask").chain(urls).collect();
    let container = json!({"name": "app", "image": "vas.test/load-model-pod:1", "imagePullPolicy": "IfNotPresent", "args": args});
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ask"},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    });
    cluster.create_namespace(STRANGER);
    support::eventually(
        Duration::from_secs(60),
        "the namespace has its account",
        || async {
            match stage.get(STRANGER, "serviceaccount/default") {
                Value::Null => Err("none"),
                _ => Ok(()),
            }
        },
    )
    .await;
    cluster.apply(STRANGER, &pod.to_string());
    support::eventually(Duration::from_secs(180), "the pod has asked", || async {
        let phase = text(&stage.get(STRANGER, "pod/ask")["status"]["phase"]);
        (phase == "Succeeded").then_some(()).ok_or(phase)
    })
    .await;
    let log = cluster.kubectl_ok(&["-n", STRANGER, "logs", "ask"], None);
    cluster.delete_namespace(STRANGER);
    log.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
