//! Gaps in the samples behind a rate, on a real Prometheus. The HPA reads no number that is too low, and
//! replicas do not fall although no stabilization window protects them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Pair, pair_for_long};
use crate::metrics_server::stack::{apply, deployment, pods, replicas};
use support::{eventually, exporter::Exporter, namespace::Namespace};

const COUNTER: &str = "gaps_requests_total";
/// Requests per second of each pod: the HPA's target.
const RATE: f64 = 100.0;
/// No number may be lower. It is below the rate, because scrapes are a second apart and a loaded machine is
/// late.
const LEAST: f64 = 85.0;
const WINDOW: Duration = Duration::from_secs(20);
const PODS: u32 = 5;
/// Longer than a window, two polls and the HPA's sync period together.
const A_WINDOW_LATER: Duration = Duration::from_secs(27);

const SPEC: &str = "
workloads:
- name: gateway
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: gateway}
  minReplicas: 1
  maxReplicas: 5
  metrics:
  - {name: rate, requestRate: {counter: gaps_requests_total, window: 20s, target: {averageValue: '100'}}}
  behavior:
    scaleDown: {stabilizationWindowSeconds: 0, policies: [{type: Percent, value: 100, periodSeconds: 1}]}
";

/// A gateway under constant load. Two exporters share its pods.
struct Gateway<'a> {
    namespace: &'a Namespace<'static>,
    exporters: [Exporter; 2],
}

impl Gateway<'_> {
    /// Starts counting at new pods.
    fn serve(&self) {
        for (n, pod) in pods(self.namespace, "gateway").iter().enumerate() {
            let labels = [("namespace", self.namespace.name()), ("pod", pod.as_str())];
            // The name decides, so that a pod always has the same exporter.
            let exporter = pod.bytes().last().map_or(n, usize::from) % 2;
            self.exporters[exporter].count(COUNTER, &labels, RATE);
        }
    }

    /// The values of the pods that have one.
    fn numbers(&self, pair: &Pair) -> BTreeMap<String, f64> {
        let path = format!(
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/pods/*/rate?labelSelector=app%3Dgateway",
            self.namespace.name()
        );
        let list = pair.cluster.raw(&path).unwrap_or_default();
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let number = |item: &Value| {
            Some((
                item["describedObject"]["name"].as_str()?.to_owned(),
                quantity(item["value"].as_str()?),
            ))
        };
        items.iter().filter_map(number).collect()
    }

    /// Asserts during a period that no value is low and that no replica goes.
    async fn holds(&self, pair: &Pair, period: Duration, what: &str) {
        let end = Instant::now() + period;
        while Instant::now() < end {
            self.serve();
            let numbers = self.numbers(pair);
            assert!(
                numbers.values().all(|number| *number >= LEAST),
                "{what}: {numbers:?}"
            );
            assert_eq!(replicas(self.namespace, "gateway"), PODS, "{what}: {numbers:?}");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    async fn is_whole(&self, pair: &Pair, what: &str) {
        eventually(Duration::from_secs(60), what, || async {
            self.serve();
            let numbers = self.numbers(pair);
            let is_whole = numbers.len() == PODS as usize && numbers.values().all(|number| *number >= LEAST);
            if is_whole {
                Ok(())
            } else {
                Err(format!("{numbers:?}"))
            }
        })
        .await;
    }
}

fn quantity(text: &str) -> f64 {
    let number = |text: &str| text.parse::<f64>().expect("a number");
    text.strip_suffix('m')
        .map_or_else(|| number(text), |milli| number(milli) / 1000.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_never_fall_over_gaps_restarts_and_a_rollout() {
    let mut pair = pair_for_long().await;
    let namespace = Namespace::create(pair.cluster, "gaps");
    let gateway = Gateway {
        namespace: &namespace,
        exporters: [Exporter::start().await, Exporter::start().await],
    };
    for (n, exporter) in gateway.exporters.iter().enumerate() {
        pair.prometheus.register(&format!("gaps-{n}"), &exporter.target());
    }
    namespace.apply(&deployment("gateway", PODS));
    eventually(Duration::from_secs(60), "the pods are there", || async {
        let count = pods(&namespace, "gateway").len();
        if count == PODS as usize {
            Ok(())
        } else {
            Err(count)
        }
    })
    .await;
    gateway.serve();
    apply(&namespace, "voiceassist", SPEC);
    gateway.is_whole(&pair, "all pods have a rate").await;
    gateway
        .holds(&pair, Duration::from_secs(3), "before any gap")
        .await;

    // One of several targets is away for more than half of a window.
    gateway.exporters[1].is_away(WINDOW * 3 / 5);
    gateway
        .holds(&pair, WINDOW * 3 / 5 + A_WINDOW_LATER, "a target was away")
        .await;
    gateway
        .is_whole(&pair, "the target's pods have a rate again")
        .await;

    // Prometheus is away, and both metrics servers restart meanwhile, so no server remembers earlier samples.
    pair.prometheus.down();
    for _ in 0..2 {
        drop(pair.replicas.remove(0));
        pair.start_replica();
    }
    gateway.holds(&pair, WINDOW / 2, "Prometheus is away").await;
    pair.prometheus.up().await;
    gateway
        .holds(
            &pair,
            A_WINDOW_LATER,
            "Prometheus and the metrics servers came back",
        )
        .await;
    gateway.is_whole(&pair, "all pods have a rate again").await;

    // As kubectl rollout restart does.
    let restarted = json!({"kubectl.kubernetes.io/restartedAt": jiff::Timestamp::now().to_string()});
    let template = json!({"spec": {"template": {"metadata": {"annotations": restarted}}}});
    namespace.patch("deployment", "gateway", &template);
    gateway.holds(&pair, A_WINDOW_LATER, "all pods are new").await;
    gateway.is_whole(&pair, "the new pods have a rate").await;
}
