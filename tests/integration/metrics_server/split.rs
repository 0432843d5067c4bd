//! Answers above the size limit, from a real Prometheus.

use std::time::Duration;

use super::{
    elsewhere::Elsewhere,
    stack::{deployment, pods, stack},
};
use support::{eventually, namespace::Namespace};

const COUNTER: &str = "split_requests_total";
const SPEC: &str = "
workloads:
- name: gateway
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: gateway}
  maxReplicas: 3
  metrics:
  - name: rate
    requestRate: {counter: split_requests_total, window: 20s, target: {averageValue: '100'}}
";
/// Largest answer in bytes: the series of about fifty pods.
const LIMIT: usize = 6000;

async fn one_pod(namespace: &Namespace<'_>) -> String {
    eventually(Duration::from_secs(60), "the pod is there", || async {
        pods(namespace, "gateway").pop().ok_or("no pod yet")
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_above_the_limit_are_split_by_namespace_and_one_too_large_alone_harms_no_other() {
    let stack = stack().await;
    let namespaces = [("split-a", 30), ("split-b", 30), ("split-large", 150)].map(|(name, others)| {
        let namespace = stack.scaling(name, SPEC);
        namespace.apply(&deployment("gateway", 1));
        (namespace, others)
    });
    let mut series = Vec::new();
    for (namespace, others) in &namespaces {
        series.push((namespace.name().to_owned(), one_pod(namespace).await));
        let others =
            (0..*others).map(|n| (namespace.name().to_owned(), format!("a-pod-of-somebody-else-{n}")));
        series.extend(others);
    }
    let (wanted, surplus): (Vec<_>, Vec<_>) = series
        .into_iter()
        .partition(|(_, pod)| pod.starts_with("gateway-"));
    let set = |series: &[(String, String)], value: f64| {
        for (namespace, pod) in series {
            stack
                .exporter
                .set(COUNTER, &[("namespace", namespace), ("pod", pod)], value);
        }
    };
    set(&wanted, 1.0);
    set(&surplus, 1.0);
    let server = Elsewhere::start(
        stack,
        "split",
        &[
            format!("--prometheus-url={}", stack.prometheus.url()),
            format!("--prometheus-max-response-size={LIMIT}"),
        ],
    )
    .await;
    let [(a, _), (b, _), (large, _)] = &namespaces;
    server.reads(a.name(), "pods/*", "rate", &["0"]).await;
    server.reads(b.name(), "pods/*", "rate", &["0"]).await;
    let words =
        "the answer for this namespace alone is larger than 6000 bytes; raise --prometheus-max-response-size";
    server.refuses(large.name(), "pods/*", "rate", words).await;
    assert!(server.process.log().contains("asking in parts by namespace"));

    // The limit of the shared server is far higher.
    let path = format!(
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/pods/*/rate",
        large.name()
    );
    eventually(
        Duration::from_secs(60),
        "the shared server has a value",
        || async { stack.get(&path).map(drop) },
    )
    .await;

    for (namespace, pod) in &surplus {
        stack
            .exporter
            .remove(COUNTER, &[("namespace", namespace), ("pod", pod)]);
    }
    server.reads(large.name(), "pods/*", "rate", &["0"]).await;
}
