//! What `MetricsAvailable` says besides whether metrics have a value, and the cost of many resources.

use std::time::Duration;

use super::stack::{apply, apply_resource, deployment, metrics_available, pods, stack};
use support::{eventually, exporter::Exporter, namespace::Namespace};

async fn reports(namespace: &Namespace<'_>, name: &str, words: &[&str]) {
    let what = format!("{name} reports {words:?}");
    eventually(Duration::from_secs(300), &what, || async {
        let condition = metrics_available(namespace, name);
        if words.iter().all(|words| condition.contains(words)) {
            Ok(())
        } else {
            Err(condition)
        }
    })
    .await;
}

fn depth(gauge: &str, settings: &str) -> String {
    format!(
        "
workloads:
- name: worker
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: worker}}
  maxReplicas: 5
  metrics:
  - {{name: depth, queueDepth: {{gauge: {gauge}, target: {{averageValue: '50'}}}}{settings}}}
"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_configured_is_named_with_those_that_are_and_harms_no_other_resource() {
    let stack = stack().await;
    let namespace = stack.scaling(
        "unknown-server",
        &depth("unknown_depth", ", prometheusServer: central"),
    );
    stack
        .exporter
        .set("unknown_depth", &[("namespace", namespace.name())], 1.0);
    // Another workload name, because children are named after resource and workload.
    let other = depth("unknown_depth", "").replace("name: worker\n  scale", "name: other\n  scale");
    apply(&namespace, "other", &other);
    let words = "False MetricsMissing: worker/depth: prometheusServer \"central\" is not configured; this metrics server knows default";
    reports(&namespace, "voiceassist", &[words]).await;
    reports(
        &namespace,
        "other",
        &["True MetricsFresh: 1 metric from Prometheus"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zero_that_stands_for_no_series_is_named() {
    let stack = stack().await;
    let namespace = stack.scaling("zeroed", &depth("zeroed_depth", ", onMissing: Zero, maxAge: 10s"));
    let words = "True MetricsFresh: 1 metric from Prometheus; worker/depth: no series, which onMissing: Zero takes for zero";
    reports(&namespace, "voiceassist", &[words]).await;
    stack
        .exporter
        .set("zeroed_depth", &[("namespace", namespace.name())], 1.0);
    eventually(Duration::from_secs(90), "it is not named any more", || async {
        let condition = metrics_available(&namespace, "voiceassist");
        if condition == "True MetricsFresh: 1 metric from Prometheus" {
            Ok(())
        } else {
            Err(condition)
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_shorter_than_two_scrapes_and_what_prometheus_remarks_are_named_beside_the_value() {
    let stack = stack().await;
    let spec = "
workloads:
- name: gateway
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: gateway}
  maxReplicas: 3
  metrics:
  - {name: rate, requestRate: {counter: remarkable, window: 40s, target: {averageValue: '100'}}}
";
    let namespace = stack.scaling("remarkable", spec);
    namespace.apply(&deployment("gateway", 1));
    let slow = Exporter::start().await;
    let pod = eventually(Duration::from_secs(60), "the pod is there", || async {
        pods(&namespace, "gateway").pop().ok_or("no pod yet")
    })
    .await;
    let labels = [("namespace", namespace.name()), ("pod", pod.as_str())];
    slow.set("remarkable", &labels, 1.0);
    // Longer than half the window by 4 s: on a busy machine one scrape is late and the next is not, the distance between
    // them is shorter, and the shortest counts for ten minutes.
    stack
        .prometheus
        .register_every("remarkable", &slow.target(), "24s");
    reports(
        &namespace,
        "voiceassist",
        &[
            "True MetricsFresh: 1 metric from Prometheus; ",
            "gateway/rate: the window 40s is shorter than twice the 2",
            "s between its samples; make it at least 1m",
            "gateway/rate: Prometheus remarks: PromQL info: metric might not be a counter",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_resources_of_one_shape_cost_as_many_queries_as_one() {
    let stack = stack().await;
    let proxy = &stack.proxy;
    let one = Namespace::create(stack.cluster, "one-of-a-shape");
    apply(&one, "voiceassist", &depth("shape_of_one", ""));
    let namespaces: Vec<_> = (0..5)
        .map(|n| Namespace::create(stack.cluster, &format!("many-of-a-shape-{n}")))
        .collect();
    for namespace in &namespaces {
        for n in 0..10 {
            let spec = depth("shape_of_fifty", "").replace("name: worker", &format!("name: worker-{n}"));
            apply_resource(namespace, &format!("voiceassist-{n}"), &spec);
        }
        stack
            .exporter
            .set("shape_of_fifty", &[("namespace", namespace.name())], 1.0);
    }
    stack
        .exporter
        .set("shape_of_one", &[("namespace", one.name())], 1.0);
    for namespace in &namespaces {
        reports(namespace, "voiceassist-9", &["True MetricsFresh"]).await;
    }
    let count = |gauge: &str| {
        proxy
            .queries()
            .iter()
            .filter(|query| query.contains(gauge))
            .count()
    };
    let (of_one, of_fifty) = (count("shape_of_one"), count("shape_of_fifty"));
    eventually(Duration::from_secs(120), "ten more polls of the one", || async {
        let polls = (count("shape_of_one") - of_one) / 2;
        if polls >= 10 { Ok(()) } else { Err(polls) }
    })
    .await;
    let (of_one, of_fifty) = (count("shape_of_one") - of_one, count("shape_of_fifty") - of_fifty);
    assert!(
        of_fifty <= of_one + 8,
        "{of_fifty} queries of fifty resources, {of_one} of one"
    );
}
