//! One Prometheus for several clusters and namespaces. A resource gets only its own series, and its condition
//! says so when it asks for others.

use std::time::Duration;

use super::{
    elsewhere::Elsewhere,
    stack::{apply_resource, metrics_available, stack},
};
use support::{eventually, eventually::throughout, namespace::Namespace};

const WORKER: &str = "deployments.apps/worker";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prometheus_that_clusters_share_is_read_for_one_of_them() {
    let stack = stack().await;
    let namespace = stack.scaling(
        "shared",
        "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 5
  metrics:
  - {name: depth, queueDepth: {gauge: shared_depth, aggregation: Sum, target: {averageValue: '50'}}}
  - {name: query, prometheus: {query: 'sum(shared_depth) * count(shared_depth)', target: {value: '5'}}}
",
    );
    let name = namespace.name();
    for (cluster, value) in [("eu-1", 3.0), ("us-1", 4.0)] {
        stack.exporter.set(
            "shared_depth",
            &[("namespace", name), ("cluster", cluster)],
            value,
        );
    }
    let url = format!("--prometheus-url={}", stack.prometheus.url());
    let mixed = Elsewhere::start(stack, "shared-mixed", std::slice::from_ref(&url)).await;
    mixed.reads(name, WORKER, "depth", &["7"]).await;
    mixed.reads(name, WORKER, "query", &["14"]).await;
    let matchers = "--matchers=cluster=eu-1".to_owned();
    let server = Elsewhere::start(stack, "shared", &[url, matchers]).await;
    server.reads(name, WORKER, "depth", &["3"]).await;
    server.reads(name, WORKER, "query", &["3"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_metric_that_asks_for_another_namespace_says_so_and_is_never_zero() {
    let stack = stack().await;
    let namespace = Namespace::create(stack.cluster, "elsewhere");
    // The resource is valid: only the metrics server knows which label has the namespace.
    apply_resource(
        &namespace,
        "voiceassist",
        "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 5
  metrics:
  - name: depth
    maxAge: 10s
    onMissing: Zero
    prometheus: {query: 'sum(elsewhere_depth{namespace=\"other\"})', target: {value: '5'}}
",
    );
    let words = "it selects namespace=\"other\", but is shown only series with namespace=";
    eventually(Duration::from_secs(60), "the condition says so", || async {
        let condition = metrics_available(&namespace, "voiceassist");
        if condition.starts_with("False ") && condition.contains(words) {
            Ok(())
        } else {
            Err(condition)
        }
    })
    .await;
    let path = format!(
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/{WORKER}/depth",
        namespace.name()
    );
    throughout(Duration::from_secs(15), "it is never zero", || async {
        match stack.get(&path) {
            Err(message) if message.contains("can never have a value") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}
