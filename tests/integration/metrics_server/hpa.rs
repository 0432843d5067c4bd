//! The real HPA controller scales on the served values.

use std::time::{Duration, Instant};

use super::stack::{deployment, pods, replicas, stack};
use support::eventually;

const SPEC: &str = "
workloads:
- name: api-gateway
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api-gateway}
  minReplicas: 2
  maxReplicas: 10
  metrics:
  - name: request-rate
    requestRate: {counter: voiceassist_http_requests_total, window: 10s, target: {averageValue: '100'}}
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 5
  metrics:
  - name: queue-depth
    queueDepth: {gauge: voiceassist_queue_depth, matchLabels: {queue: default}, target: {averageValue: '50'}}
  - name: queue-age
    queueAge: {gauge: voiceassist_queue_oldest_job_age_seconds, matchLabels: {queue: default}, target: {value: '60'}}
";

#[tokio::test]
async fn the_hpa_scales_on_a_pods_metric_and_on_an_object_metric() {
    let stack = stack().await;
    let namespace = stack.scaling("hpa", SPEC);
    namespace.apply(&deployment("api-gateway", 2));
    namespace.apply(&deployment("worker", 1));
    let queue = [("namespace", namespace.name()), ("queue", "default")];
    stack.exporter.set("voiceassist_queue_depth", &queue, 180.0);
    stack
        .exporter
        .set("voiceassist_queue_oldest_job_age_seconds", &queue, 10.0);
    let started = Instant::now();
    eventually(
        Duration::from_secs(90),
        "both workloads are scaled up",
        || async {
            for pod in pods(&namespace, "api-gateway") {
                let labels = [("namespace", namespace.name()), ("pod", pod.as_str())];
                let requests = 250.0 * started.elapsed().as_secs_f64();
                stack
                    .exporter
                    .set("voiceassist_http_requests_total", &labels, requests);
            }
            let (gateway, worker) = (
                replicas(&namespace, "api-gateway"),
                replicas(&namespace, "worker"),
            );
            if gateway > 2 && worker == 4 {
                Ok(())
            } else {
                Err(format!("api-gateway {gateway}, worker {worker}"))
            }
        },
    )
    .await;
}

const OF_PODS: &str = "
workloads:
- name: api-gateway
  scaleTargetRef: {name: api-gateway}
  minReplicas: 2
  maxReplicas: 6
  metrics:
  - name: in-flight
    podGauge: {gauge: voiceassist_requests_in_flight, matchLabels: {tier: gold}, target: {averageValue: '10'}}
- name: worker
  scaleTargetRef: {name: worker}
  maxReplicas: 4
  metrics:
  - name: busy-ratio
    podGauge:
      query: sum by (pod) (voiceassist_busy_threads) / sum by (pod) (voiceassist_threads)
      target: {averageValue: 500m}
";

#[tokio::test]
async fn the_hpa_scales_on_a_gauge_and_on_a_ratio_of_each_pod() {
    let stack = stack().await;
    let namespace = stack.scaling("hpa-of-pods", OF_PODS);
    namespace.apply(&deployment("api-gateway", 2));
    namespace.apply(&deployment("worker", 1));
    eventually(
        Duration::from_secs(90),
        "both workloads are scaled up",
        || async {
            for pod in pods(&namespace, "api-gateway") {
                let labels = [
                    ("namespace", namespace.name()),
                    ("pod", pod.as_str()),
                    ("tier", "gold"),
                ];
                stack
                    .exporter
                    .set("voiceassist_requests_in_flight", &labels, 25.0);
            }
            for pod in pods(&namespace, "worker") {
                let labels = [("namespace", namespace.name()), ("pod", pod.as_str())];
                stack.exporter.set("voiceassist_busy_threads", &labels, 9.0);
                stack.exporter.set("voiceassist_threads", &labels, 10.0);
            }
            let (gateway, worker) = (
                replicas(&namespace, "api-gateway"),
                replicas(&namespace, "worker"),
            );
            if gateway > 2 && worker > 1 {
                Ok(())
            } else {
                Err(format!("api-gateway {gateway}, worker {worker}"))
            }
        },
    )
    .await;
}
