//! All faults of Prometheus at once, each for a resource of its own. Each resource has replicas above its
//! minimum and load. Replicas do not fall, the condition says why, and recovery needs no restart.
//!
//! The control resource, whose load really ends, does scale down in the same time. The bystander goes on
//! scaling.

use std::time::Duration;

use futures::future::join_all;

use super::stack::{Stack, deployment, metrics_available, pods_of, replicas, stack};
use support::{
    eventually, eventually::throughout, exporter::Exporter, fault_proxy::Fault, namespace::Namespace,
};

/// Longer than maxAge, the HPA's window and two of its syncs together.
const LONG_ENOUGH: Duration = Duration::from_secs(30);

/// A deadline on a machine that runs all tests at once.
const PATIENCE: Duration = Duration::from_secs(90);

/// Replicas that a depth of 180 asks for, and those that 230 does, at 50 per pod.
const LOADED: (f64, u32) = (180.0, 4);
const MORE_LOADED: (f64, u32) = (230.0, 5);

/// Each fault, with the words of the condition that reports it. The resources have `onMissing: Zero`, for which
/// an empty answer means zero. A server that takes a fault for an empty answer therefore scales down here.
const FAULTS: [(&str, Fault, &str); 11] = [
    (
        "hang",
        Fault::Hang,
        "PrometheusUnavailable: worker/depth: last sample older than maxAge 10s; Prometheus: no answer within 4s",
    ),
    (
        "internalerror",
        Fault::InternalError,
        "Prometheus: HTTP 500 Internal Server Error: disk on fire",
    ),
    (
        "refusal",
        Fault::Refusal,
        "Prometheus: execution: query processing would load too many samples",
    ),
    ("cutoff", Fault::CutOff, "Prometheus: the answer is cut off"),
    (
        "wrongtypes",
        Fault::WrongTypes,
        "Prometheus: the answer does not have the form of the query API",
    ),
    ("notjson", Fault::NotJson, "Prometheus: the answer is not JSON"),
    ("warning", Fault::Warning, "Prometheus: warned: no store is up"),
    (
        "partial",
        Fault::Partial,
        "Prometheus: warned: the answer is partial",
    ),
    (
        "notanumber",
        Fault::NotANumber,
        "MetricsMissing: worker/depth: its value is NaN",
    ),
    (
        "huge",
        Fault::Huge,
        "Prometheus: the answer for this namespace alone is larger than 16777216 bytes",
    ),
    (
        "hugecompressed",
        Fault::HugeCompressed,
        "Prometheus: the answer for this namespace alone is larger than 16777216 bytes",
    ),
];

/// A resource on the request rate of its pods, each of which is kept at a rate.
struct RequestCase {
    namespace: Namespace<'static>,
    traffic: tokio::task::JoinHandle<()>,
}

const REQUESTS: &str = "fault_requests_total";

impl RequestCase {
    fn start(stack: &'static Stack) -> Self {
        let spec = format!(
            "
workloads:
- name: gateway
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: gateway}}
  minReplicas: 1
  maxReplicas: 3
  metrics:
  - name: rate
    maxAge: 10s
    onMissing: Zero
    requestRate: {{counter: {REQUESTS}, window: 10s, target: {{averageValue: '100'}}}}
  behavior:
    scaleDown: {{stabilizationWindowSeconds: 10, policies: [{{type: Percent, value: 100, periodSeconds: 15}}]}}
"
        );
        let namespace = stack.scaling("fault-requests", &spec);
        namespace.apply(&deployment("gateway", 1));
        let name = namespace.name().to_owned();
        let traffic = tokio::spawn(async move {
            let started = std::time::Instant::now();
            loop {
                let requests = 300.0 * started.elapsed().as_secs_f64();
                let pods = tokio::task::spawn_blocking({
                    let name = name.clone();
                    move || pods_of(stack, &name, "gateway")
                });
                for pod in pods.await.unwrap_or_default() {
                    let labels = [("namespace", name.as_str()), ("pod", pod.as_str())];
                    stack.exporter.set(REQUESTS, &labels, requests);
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
        Self { namespace, traffic }
    }

    fn at(&self, wanted: u32) -> Result<(), String> {
        let replicas = replicas(&self.namespace, "gateway");
        if replicas == wanted {
            Ok(())
        } else {
            Err(format!("the gateway is at {replicas}, not {wanted}"))
        }
    }
}

impl Drop for RequestCase {
    fn drop(&mut self) {
        self.traffic.abort();
    }
}

/// A resource with a gauge of its own.
struct Case {
    gauge: String,
    namespace: Namespace<'static>,
}

impl Case {
    fn start(stack: &Stack, name: &str, on_missing: &str) -> Self {
        let gauge = format!("fault_{name}_depth");
        let spec = format!(
            "
workloads:
- name: worker
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: worker}}
  maxReplicas: 5
  metrics:
  - name: depth
    maxAge: 10s
    onMissing: {on_missing}
    queueDepth: {{gauge: {gauge}, target: {{averageValue: '50'}}}}
  behavior:
    scaleDown: {{stabilizationWindowSeconds: 10, policies: [{{type: Percent, value: 100, periodSeconds: 15}}]}}
"
        );
        let namespace = stack.scaling(&format!("fault-{name}"), &spec);
        namespace.apply(&deployment("worker", 1));
        Self { gauge, namespace }
    }

    fn load(&self, exporter: &Exporter, depth: f64) {
        exporter.set(&self.gauge, &[("namespace", self.namespace.name())], depth);
    }

    fn replicas(&self) -> u32 {
        replicas(&self.namespace, "worker")
    }

    /// `Err` unless the workload has this many replicas.
    fn at(&self, wanted: u32) -> Result<(), String> {
        let replicas = self.replicas();
        if replicas == wanted {
            Ok(())
        } else {
            Err(format!("{} is at {replicas}, not {wanted}", self.gauge))
        }
    }

    async fn reports(&self, words: &str) {
        let what = format!("{} reports {words:?}", self.gauge);
        eventually(PATIENCE, &what, || async {
            let condition = metrics_available(&self.namespace, "voiceassist");
            if condition.contains(words) {
                Ok(())
            } else {
                Err(condition)
            }
        })
        .await;
    }
}

async fn all_at(cases: &[&Case], wanted: u32) {
    eventually(PATIENCE, "all resources are scaled", || async {
        cases.iter().try_for_each(|case| case.at(wanted))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_hold_through_every_fault_of_prometheus_while_others_go_on() {
    let stack = stack().await;
    let proxy = &stack.proxy;
    let ageing = Exporter::start().await;
    ageing.stamp_samples();
    stack.prometheus.register("ageing", &ageing.target());
    let vanishing = Exporter::start().await;
    stack.prometheus.register("vanishing", &vanishing.target());

    let spoiled: Vec<Case> = FAULTS
        .iter()
        .map(|(name, ..)| Case::start(stack, name, "Zero"))
        .collect();
    let aged = Case::start(stack, "aged", "Zero");
    let vanished = Case::start(stack, "vanished", "Hold");
    let control = Case::start(stack, "control", "Hold");
    let bystander = Case::start(stack, "bystander", "Hold");
    let held: Vec<&Case> = spoiled.iter().chain([&aged, &vanished]).collect();
    let load = |case: &Case, depth| {
        let exporter = match case.gauge.as_str() {
            "fault_aged_depth" => &ageing,
            "fault_vanished_depth" => &vanishing,
            _ => &stack.exporter,
        };
        case.load(exporter, depth);
    };
    let everybody: Vec<&Case> = held.iter().copied().chain([&control, &bystander]).collect();
    for case in &everybody {
        load(case, LOADED.0);
    }
    let requests = RequestCase::start(stack);
    all_at(&everybody, LOADED.1).await;
    eventually(PATIENCE, "the gateway is scaled", || async { requests.at(3) }).await;

    proxy.set(REQUESTS, Some(Fault::Warning));
    for (case, (_, fault, _)) in spoiled.iter().zip(FAULTS) {
        proxy.set(&case.gauge, Some(fault));
    }
    ageing.stop_clock();
    vanishing.fail_scrapes();
    load(&control, 0.0);
    load(&bystander, MORE_LOADED.0);
    throughout(LONG_ENOUGH, "faulted resources keep their replicas", || async {
        held.iter()
            .try_for_each(|case| case.at(LOADED.1))
            .and_then(|()| requests.at(3))
    })
    .await;
    all_at(&[&control], 1).await;
    all_at(&[&bystander], MORE_LOADED.1).await;
    let words = FAULTS.iter().map(|(.., words)| *words);
    let words = words.chain([
        "last sample older than maxAge 10s",
        "MetricsMissing: worker/depth: Prometheus has no series for it",
    ]);
    join_all(held.iter().zip(words).map(|(case, words)| case.reports(words))).await;
    bystander.reports("True MetricsFresh").await;
    eventually(PATIENCE, "the gateway's condition says why", || async {
        let condition = metrics_available(&requests.namespace, "voiceassist");
        if condition.contains("gateway/rate: ") && condition.contains("Prometheus: warned: no store is up") {
            Ok(())
        } else {
            Err(condition)
        }
    })
    .await;

    for case in &spoiled {
        proxy.set(&case.gauge, None);
    }
    for case in &spoiled {
        load(case, MORE_LOADED.0);
    }
    let recovered: Vec<&Case> = spoiled.iter().collect();
    all_at(&recovered, MORE_LOADED.1).await;
    join_all(recovered.iter().map(|case| case.reports("True MetricsFresh"))).await;
}
