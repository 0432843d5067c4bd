//! Two hundred reads a second while Prometheus does everything wrong.

use std::time::Duration;

use super::steady_load;
use super::target;
use crate::support::{eventually, fault_proxy::Fault};

const RATE: u32 = 200;
const PERIOD: Duration = Duration::from_secs(5);

const SPEC: &str = "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 3
  metrics:
  - {name: depth, maxAge: 10s, queueDepth: {gauge: hostile_depth, target: {averageValue: '50'}}}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_read_is_answered_from_memory_or_with_503_whatever_prometheus_does() {
    let target = target().await;
    let mut proxy = target.proxy.write().await;
    let namespace = target.stack.scaling("hostile", SPEC);
    let labels = [("namespace", namespace.name())];
    target.stack.exporter.set("hostile_depth", &labels, 7.0);
    let client = target.front_proxy();
    let url = target.url(&format!(
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/deployments.apps/worker/depth",
        namespace.name()
    ));
    let request = || {
        client
            .get(&url)
            .header(
                "X-Remote-User",
                "system:serviceaccount:kube-system:horizontal-pod-autoscaler",
            )
            .header("X-Remote-Group", "system:authenticated")
    };
    let served = || async {
        match request().send().await {
            Ok(answer) if answer.status() == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    };
    let patience = Duration::from_secs(60);
    eventually(patience, "the metric is served", served).await;
    let before = target.memory();
    let healthy = steady_load::send(RATE, PERIOD, request).await;
    assert_eq!(healthy.other_than(&[200]), 0, "{healthy:?}");
    for fault in [
        Fault::Hang,
        Fault::Slow,
        Fault::InternalError,
        Fault::NotJson,
        Fault::WrongTypes,
        Fault::CutOff,
        Fault::Huge,
        Fault::HugeCompressed,
    ] {
        proxy.set("hostile_depth", Some(fault));
        let outcome = steady_load::send(RATE, PERIOD, request).await;
        assert!(outcome.total() >= 900, "{fault:?}: {outcome:?}");
        assert_eq!(outcome.other_than(&[200, 503]), 0, "{fault:?}: {outcome:?}");
        target.assert_unharmed(before, &client).await;
    }
    proxy.set("hostile_depth", None);
    proxy.close();
    let refused = steady_load::send(RATE, 3 * PERIOD, request).await;
    assert_eq!(refused.other_than(&[200, 503]), 0, "{refused:?}");
    assert!(
        refused.statuses.contains_key(&503),
        "it grew too old: {refused:?}"
    );
    target.assert_unharmed(before, &client).await;
    proxy.open().await;
    eventually(patience, "the metric is served again", served).await;
}
