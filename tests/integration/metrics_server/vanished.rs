//! Gauges of several exporters, of which one vanishes, on a real Prometheus. The value that the HPA reads
//! does not fall while the exporter's pod is live. It falls when the pod goes.

use std::time::{Duration, Instant};

use super::stack::{Stack, deployment, metrics_available, replicas, stack};
use support::{eventually, eventually::throughout, exporter::Exporter, namespace::Namespace};

const PATIENCE: Duration = Duration::from_secs(90);
/// How long the value is checked after an exporter vanished. The `maxAge` of its metric is 40 s.
const HELD: Duration = Duration::from_secs(25);
/// Checks that end within this time are within `maxAge`, even if the last scrape was late.
const WITHIN_MAX_AGE: Duration = Duration::from_secs(34);

fn spec(gauge: &str, max_age: &str) -> String {
    format!(
        "
workloads:
- name: worker
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: worker}}
  maxReplicas: 6
  metrics:
  - name: depth
    maxAge: {max_age}
    queueDepth: {{gauge: {gauge}, aggregation: Sum, target: {{averageValue: '50'}}}}
  behavior:
    scaleDown: {{stabilizationWindowSeconds: 0, policies: [{{type: Percent, value: 100, periodSeconds: 1}}]}}
"
    )
}

/// Starts a pod with an exporter. Nothing recreates the pod.
async fn start_pod(namespace: &Namespace<'_>, name: &str) {
    eventually(PATIENCE, "the namespace may have pods", || async {
        let account = namespace.object("serviceaccount", "default");
        account.ok_or("no account default")
    })
    .await;
    namespace.apply(&format!(
        "apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{{name: app, image: voiceassist/{name}}}]
"
    ));
}

/// The value that the HPA reads.
fn read(stack: &Stack, namespace: &Namespace<'_>) -> Result<String, String> {
    let path = format!(
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/deployments.apps/worker/depth",
        namespace.name()
    );
    let list = stack.get(&path)?;
    let value = list["items"][0]["value"].as_str();
    value.map(str::to_owned).ok_or_else(|| list.to_string())
}

fn reads(stack: &Stack, namespace: &Namespace<'_>, wanted: &str) -> Result<(), String> {
    let value = read(stack, namespace)?;
    if value == wanted { Ok(()) } else { Err(value) }
}

fn is_at(namespace: &Namespace<'_>, wanted: u32) -> Result<(), String> {
    let replicas = replicas(namespace, "worker");
    if replicas == wanted {
        Ok(())
    } else {
        Err(format!("{replicas} replicas"))
    }
}

/// The value of the gauge in Prometheus itself.
async fn in_prometheus(stack: &Stack, gauge: &str, namespace: &Namespace<'_>) -> Option<f64> {
    let query = format!("sum({gauge}{{namespace=\"{}\"}})", namespace.name());
    stack.prometheus.query(&query).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gauge_of_which_an_exporter_fails_its_scrapes_does_not_fall_until_max_age() {
    let stack = stack().await;
    let gauge = "vanished_depth";
    let namespace = stack.scaling("vanished", &spec(gauge, "40s"));
    namespace.apply(&deployment("worker", 1));
    let exporters = [Exporter::start().await, Exporter::start().await];
    for (n, exporter) in exporters.iter().enumerate() {
        let name = format!("queue-{n}");
        start_pod(&namespace, &name).await;
        exporter.set(gauge, &[("namespace", namespace.name()), ("pod", &name)], 100.0);
        stack
            .prometheus
            .register(&format!("vanished-{n}"), &exporter.target());
    }
    eventually(PATIENCE, "both count", || async {
        reads(stack, &namespace, "200").and_then(|()| is_at(&namespace, 4))
    })
    .await;

    exporters[1].fail_scrapes();
    let vanished = Instant::now();
    let mut looks = 0;
    while vanished.elapsed() < HELD {
        let seen = reads(stack, &namespace, "200").and_then(|()| is_at(&namespace, 4));
        if vanished.elapsed() < WITHIN_MAX_AGE {
            assert_eq!(seen, Ok(()), "{:?} after it vanished", vanished.elapsed());
            looks += 1;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(looks > 3, "only {looks} looks");
    assert_eq!(in_prometheus(stack, gauge, &namespace).await, Some(100.0));

    let words = "True MetricsFresh: 1 metric from Prometheus; worker/depth: it counts without the series of pod \
                 queue-1, which vanished longer ago than maxAge 40s";
    eventually(PATIENCE, "the others count, and it is told", || async {
        reads(stack, &namespace, "100")?;
        is_at(&namespace, 2)?;
        let condition = metrics_available(&namespace, "voiceassist");
        if condition == words {
            Ok(())
        } else {
            Err(condition)
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gauge_falls_with_a_pod_that_goes_and_not_with_one_that_only_drops_its_series() {
    let stack = stack().await;
    let gauge = "departed_depth";
    // A `maxAge` so long that no value in this test is dropped for its age.
    let namespace = stack.scaling("departed", &spec(gauge, "30m"));
    namespace.apply(&deployment("worker", 1));
    let pods = ["queue-0", "queue-1", "queue-2"];
    let labels = |pod| [("namespace", namespace.name()), ("pod", pod)];
    for name in pods {
        start_pod(&namespace, name).await;
        stack.exporter.set(gauge, &labels(name), 50.0);
    }
    eventually(PATIENCE, "all count", || async {
        reads(stack, &namespace, "150").and_then(|()| is_at(&namespace, 3))
    })
    .await;

    stack.exporter.remove(gauge, &labels("queue-1"));
    eventually(PATIENCE, "Prometheus has lost one", || async {
        match in_prometheus(stack, gauge, &namespace).await {
            Some(100.0) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    throughout(Duration::from_secs(12), "the number stands", || async {
        reads(stack, &namespace, "150").and_then(|()| is_at(&namespace, 3))
    })
    .await;

    stack.exporter.set(gauge, &labels("queue-0"), 150.0);
    eventually(PATIENCE, "the others alone have more", || async {
        reads(stack, &namespace, "200").and_then(|()| is_at(&namespace, 4))
    })
    .await;
    stack.exporter.set(gauge, &labels("queue-0"), 50.0);

    for name in ["queue-1", "queue-2"] {
        namespace.delete("pod", name);
        stack.exporter.remove(gauge, &labels(name));
    }
    eventually(PATIENCE, "one is left", || async {
        reads(stack, &namespace, "50").and_then(|()| is_at(&namespace, 1))
    })
    .await;
    eventually(
        PATIENCE,
        "the condition names nothing that is missing",
        || async {
            let condition = metrics_available(&namespace, "voiceassist");
            if condition == "True MetricsFresh: 1 metric from Prometheus" {
                Ok(())
            } else {
                Err(condition)
            }
        },
    )
    .await;
}
