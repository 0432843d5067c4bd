//! Prometheus is away: no program listens on its port.

use std::time::Duration;

use super::pair;
use crate::metrics_server::stack::{apply, deployment, metrics_available, replicas};
use support::{eventually, eventually::throughout, namespace::Namespace};

/// Longer than maxAge, the HPA's window and two of its syncs together.
const LONG_ENOUGH: Duration = Duration::from_secs(30);

const SPEC: &str = "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 5
  metrics:
  - name: depth
    maxAge: 10s
    onMissing: Zero
    queueDepth: {gauge: refused_depth, target: {averageValue: '50'}}
  behavior:
    scaleDown: {stabilizationWindowSeconds: 10, policies: [{type: Percent, value: 100, periodSeconds: 15}]}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_hold_while_prometheus_refuses_connections_and_fall_once_it_says_so() {
    let mut pair = pair().await;
    let namespace = Namespace::create(pair.cluster, "refused");
    apply(&namespace, "voiceassist", SPEC);
    namespace.apply(&deployment("worker", 1));
    let labels = [("namespace", namespace.name())];
    pair.exporter.set("refused_depth", &labels, 180.0);
    let at = |wanted: u32| {
        let replicas = replicas(&namespace, "worker");
        if replicas == wanted {
            Ok(())
        } else {
            Err(format!("{replicas} replicas"))
        }
    };
    let reports = |words: &str| {
        let condition = metrics_available(&namespace, "voiceassist");
        if condition.contains(words) {
            Ok(())
        } else {
            Err(condition)
        }
    };
    let patience = Duration::from_secs(60);
    eventually(patience, "scaled up", || async { at(4) }).await;

    pair.prometheus.down();
    // The load ends while Prometheus is away. Only a value from Prometheus may scale down.
    pair.exporter.set("refused_depth", &labels, 0.0);
    throughout(LONG_ENOUGH, "the replicas stay", || async { at(4) }).await;
    let words = "False PrometheusUnavailable: worker/depth: last sample older than maxAge 10s; Prometheus: Connection refused";
    eventually(patience, "the condition says why", || async { reports(words) }).await;
    let served = pair.cluster.raw("/apis/custom.metrics.k8s.io/v1beta2");
    assert!(served.is_ok(), "the API stays served: {served:?}");

    pair.prometheus.up().await;
    eventually(patience, "scaled down", || async { at(1) }).await;
    eventually(patience, "the condition recovers", || async {
        reports("True MetricsFresh")
    })
    .await;
}
