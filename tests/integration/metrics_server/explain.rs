//! `vas explain` predicts what the real HPA controller then does.
//!
//! There is one resource with a workload per situation, and no HPAs at first. The prediction is what the
//! operator's HPAs would do. Then they are created, and the controller shows what they do.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Output,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    external::registered,
    stack::{Stack, apply_hpas, apply_resource, deployment, pods, replicas, stack},
};
use support::{eventually, namespace::Namespace, vas, write::Bound};

/// For each situation: workload, initial replicas, its part of the spec, and the predicted cause.
const SITUATIONS: [(&str, u32, &str, &str); 11] = [
    (
        "pods-metric",
        2,
        "metrics: [{name: rate, requestRate: {counter: explain_requests_total, window: 10s, target: {averageValue: '100'}}}]",
        "DesiredWithinRange",
    ),
    (
        "object-average",
        1,
        "metrics: [{name: depth, queueDepth: {gauge: explain_depth, matchLabels: {queue: q180}, target: {averageValue: '50'}}}]",
        "DesiredWithinRange",
    ),
    (
        "object-value",
        2,
        "metrics: [{name: age, queueAge: {gauge: explain_depth, matchLabels: {queue: q90}, target: {value: '60'}}}]",
        "DesiredWithinRange",
    ),
    (
        "external",
        2,
        "metrics: [{name: jobs, external: true, queueDepth: {gauge: explain_depth, matchLabels: {queue: q180}, target: {value: '60'}}}]",
        "DesiredWithinRange",
    ),
    (
        "utilization",
        2,
        "metrics: [{name: cpu, resource: {name: cpu, target: {averageUtilization: 50}}}]",
        "DesiredWithinRange",
    ),
    (
        "one-missing",
        3,
        "metrics: [{name: depth, queueDepth: {gauge: explain_depth, matchLabels: {queue: q90}, target: {averageValue: '50'}}}, {name: none, queueAge: {gauge: explain_depth, matchLabels: {queue: nowhere}, target: {value: '60'}}}]",
        "MissingMetrics",
    ),
    (
        "at-max",
        3,
        "maxReplicas: 4, metrics: [{name: depth, queueDepth: {gauge: explain_depth, matchLabels: {queue: q900}, target: {averageValue: '50'}}}]",
        "TooManyReplicas",
    ),
    (
        "suspended",
        1,
        "suspend: true, metrics: [{name: depth, queueDepth: {gauge: explain_depth, matchLabels: {queue: q180}, target: {averageValue: '50'}}}]",
        "DirectionDisabled",
    ),
    (
        "up-limit",
        1,
        "behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 600}]}}, metrics: [{name: depth, queueDepth: {gauge: explain_depth, matchLabels: {queue: q900}, target: {averageValue: '50'}}}]",
        "ScaleUpLimit",
    ),
    (
        "stabilized",
        3,
        "metrics: [{name: depth, queueDepth: {gauge: explain_depth, matchLabels: {queue: q90}, target: {averageValue: '50'}}}]",
        "Stabilized",
    ),
    (
        "down",
        4,
        "behavior: {scaleDown: {stabilizationWindowSeconds: 0}}, metrics: [{name: depth, queueDepth: {gauge: explain_depth, matchLabels: {queue: q90}, target: {averageValue: '50'}}}]",
        "DesiredWithinRange",
    ),
];

fn spec() -> String {
    let workload = |(name, _, fields, _): &(&str, u32, &str, &str)| {
        let max = if fields.contains("maxReplicas") {
            ""
        } else {
            "maxReplicas: 10, "
        };
        format!(
            "- {{name: {name}, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}, {max}{fields}}}"
        )
    };
    let workloads: Vec<String> = SITUATIONS.iter().map(workload).collect();
    format!("workloads:\n{}", workloads.join("\n"))
}

fn explain(stack: &Stack, arguments: &[&str]) -> Output {
    explain_as(&stack.cluster.kubeconfig(), arguments)
}

fn explain_as(kubeconfig: &Path, arguments: &[&str]) -> Output {
    let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
    let mut all = vec![
        "explain",
        &kubeconfig,
        "--horizontal-pod-autoscaler-cpu-initialization-period=10s",
        "--horizontal-pod-autoscaler-initial-readiness-delay=5s",
    ];
    all.extend_from_slice(arguments);
    vas::run(&all)
}

/// The workloads as `vas explain` describes them now, by name.
fn explained(stack: &Stack, namespace: &str) -> BTreeMap<String, Value> {
    let output = explain(stack, &["voiceassist", "-n", namespace, "-o", "json"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let workloads = report["workloads"].as_array().expect("a list").clone();
    workloads
        .into_iter()
        .map(|workload| (workload["name"].as_str().expect("a name").to_owned(), workload))
        .collect()
}

/// Time between two runs of explain, which costs far more than a read.
const BETWEEN_RUNS: Duration = Duration::from_millis(500);

/// What is not yet as the situations need it.
fn unsettled(workloads: &BTreeMap<String, Value>) -> Vec<String> {
    let situations = SITUATIONS.iter().filter(|(name, replicas, _, cause)| {
        let workload = &workloads[*name];
        let counts = &workload["replicas"];
        counts["ready"] != json!(replicas)
            || counts["status"] != json!(replicas)
            || workload["decision"]["cause"] != json!(cause)
    });
    let shown = situations.map(|(name, ..)| {
        let workload = &workloads[*name];
        format!(
            "{}; errors: {}",
            workload["summary"], workload["metrics"][0]["error"]
        )
    });
    shown.collect()
}

/// The counts that the controller set, oldest first.
fn rescales(namespace: &Namespace<'_>, hpa: &str) -> Vec<i64> {
    let mut events = namespace.objects("events", "");
    events.retain(|event| event["regarding"]["name"] == hpa && event["reason"] == "SuccessfulRescale");
    events.sort_by_key(|event| event["deprecatedFirstTimestamp"].to_string());
    let size = |event: &Value| {
        let message = event["note"].as_str()?.strip_prefix("New size: ")?;
        message.split(';').next()?.parse().ok()
    };
    events.iter().filter_map(size).collect()
}

/// Sends a constant number of requests per second to pods. A gap while the test waits for kubectl would lower
/// the rate, and change the count.
struct Traffic {
    pods: Arc<Mutex<Vec<String>>>,
}

impl Traffic {
    const PER_SECOND: f64 = 225.0;

    fn start(stack: &'static Stack, namespace: &str) -> Self {
        let pods = Arc::new(Mutex::new(Vec::<String>::new()));
        let (reached, namespace) = (Arc::downgrade(&pods), namespace.to_owned());
        let started = Instant::now();
        std::thread::spawn(move || {
            // Runs until it is dropped.
            while let Some(pods) = reached.upgrade() {
                for pod in pods.lock().expect("no test panics with it").iter() {
                    let labels = [("namespace", namespace.as_str()), ("pod", pod.as_str())];
                    let requests = Self::PER_SECOND * started.elapsed().as_secs_f64();
                    stack.exporter.set("explain_requests_total", &labels, requests);
                }
                drop(pods);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        Self { pods }
    }

    /// Sets the pods that get requests from now on.
    fn reaches(&self, pods: Vec<String>) {
        *self.pods.lock().expect("no test panics with it") = pods;
    }
}

/// The Deployments of all situations; their pods use 75 % of the CPU they request.
fn deploy(namespace: &Namespace<'_>) {
    for (name, replicas, ..) in SITUATIONS {
        let manifest = deployment(name, replicas);
        let requests = "        resources: {requests: {cpu: 200m}}\n";
        let usage = format!("labels: {{app: {name}}}, annotations: {{kwok.x-k8s.io/usage-cpu: 150m}}}}");
        let manifest = manifest.replace(
            &format!("    metadata: {{labels: {{app: {name}}}}}\n"),
            &format!("    metadata: {{{usage}\n"),
        );
        let manifest = manifest.replace(
            &format!("      containers: [{{name: app, image: voiceassist/{name}}}]\n"),
            &format!("      containers:\n      - name: app\n        image: voiceassist/{name}\n{requests}"),
        );
        namespace.apply(&manifest);
    }
}

#[tokio::test]
async fn explain_foretells_what_the_hpa_controller_then_sets() {
    let stack = registered().await;
    let namespace = Namespace::create(stack.cluster, "explain");
    let scaling = apply_resource(&namespace, "voiceassist", &spec());
    deploy(&namespace);
    for (queue, depth) in [("q90", 90.0), ("q180", 180.0), ("q900", 900.0)] {
        let labels = [("namespace", namespace.name()), ("queue", queue)];
        stack.exporter.set("explain_depth", &labels, depth);
    }
    let traffic = Traffic::start(stack, namespace.name());
    let feed = || traffic.reaches(pods(&namespace, "pods-metric"));

    let foretold = eventually(Duration::from_secs(120), "the situations", || async {
        feed();
        let workloads = explained(stack, namespace.name());
        match unsettled(&workloads) {
            open if open.is_empty() => Ok(workloads),
            open => {
                tokio::time::sleep(BETWEEN_RUNS).await;
                Err(open.join("\n"))
            }
        }
    })
    .await;
    let missing = &foretold["one-missing"]["metrics"][1]["error"];
    assert!(
        missing
            .as_str()
            .is_some_and(|words| words.contains("Prometheus has no series for it")),
        "the server's words: {missing}"
    );
    assert_eq!(
        foretold["object-average"]["metrics"][0]["query"],
        json!(r#"max by (namespace, pod, instance) ({__name__="explain_depth",queue="q180"})"#)
    );

    apply_hpas(&namespace, &scaling);
    for (name, current, ..) in SITUATIONS {
        let desired = foretold[name]["decision"]["desired"].as_i64().expect("a number");
        let hpa = format!("voiceassist-{name}");
        if desired == i64::from(current) {
            eventually(
                Duration::from_secs(60),
                "the controller has looked at it",
                || async {
                    feed();
                    let hpa = namespace.object("hpa", &hpa).unwrap_or_default();
                    let conditions = hpa["status"]["conditions"].to_string();
                    if conditions.contains("ScalingActive") {
                        Ok(())
                    } else {
                        Err(conditions)
                    }
                },
            )
            .await;
            assert_eq!(rescales(&namespace, &hpa), Vec::<i64>::new(), "{name} stays");
            assert_eq!(replicas(&namespace, name), current, "{name} stays");
        } else {
            let first = eventually(Duration::from_secs(60), "the controller rescales", || async {
                feed();
                rescales(&namespace, &hpa)
                    .first()
                    .copied()
                    .ok_or(format!("{name}: no rescale"))
            })
            .await;
            assert_eq!(first, desired, "{name}: {}", foretold[name]["summary"]);
        }
    }

    let after = eventually(
        Duration::from_secs(60),
        "the HPA says itself that it waits",
        || async {
            let after = explained(stack, namespace.name());
            let stabilized = &after["stabilized"];
            let decision = &stabilized["decision"];
            let said = stabilized["hpa"]["conditions"]
                .to_string()
                .contains("ScaleDownStabilized");
            // What the HPA says is of its last sync, so nothing is certain of the next one.
            if said && decision["cause"] == "Stabilized" && decision["exact"] == false {
                Ok(after)
            } else {
                Err(decision.to_string())
            }
        },
    )
    .await;
    assert_eq!(after["at-max"]["hpa"]["exists"], json!(true));
    assert_eq!(after["at-max"]["decision"]["desired"], json!(4));
    assert_eq!(after["one-missing"]["decision"]["desired"], json!(3));
    let text = explain(
        stack,
        &["voiceassist", "-n", namespace.name(), "--workload", "up-limit"],
    );
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains(after["up-limit"]["name"].as_str().expect("a name")),
        "{text}"
    );
    assert!(!text.contains("at-max"), "one workload alone: {text}");
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
}

#[tokio::test]
async fn explaining_what_is_not_there_says_where_it_is() {
    let stack = stack().await;
    let namespace = Namespace::create(stack.cluster, "explain-elsewhere");
    apply_resource(&namespace, "explained-elsewhere", &spec());
    let output = explain(stack, &["explained-elsewhere", "-n", "default"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.starts_with("Error from server (NotFound): "), "{words}");
    assert!(
        words.contains(&format!("in namespace {}", namespace.name())),
        "{words}"
    );
    let arguments = [
        "explained-elsewhere",
        "-n",
        namespace.name(),
        "--workload",
        "nobody",
    ];
    assert_eq!(explain(stack, &arguments).status.code(), Some(2));
}

#[tokio::test]
async fn who_may_not_read_a_metric_is_told_so_and_nothing_is_foretold() {
    let stack = stack().await;
    let namespace = Namespace::create(stack.cluster, "explain-view");
    apply_resource(&namespace, "voiceassist", &spec());
    namespace.apply(&deployment("object-average", 1));
    stack
        .cluster
        .create_account(namespace.name(), "viewer", Some(Bound::InNamespace("view")));
    let viewer = stack
        .cluster
        .service_account_kubeconfig(namespace.name(), "viewer");
    let arguments = [
        "voiceassist",
        "-n",
        namespace.name(),
        "--workload",
        "object-average",
    ];
    eventually(
        Duration::from_secs(60),
        "it says what it may not read",
        || async {
            let output = explain_as(&viewer, &arguments);
            let words = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            if words.contains("cannot say: you may not read depth,") {
                Ok(())
            } else {
                Err(words)
            }
        },
    )
    .await;
}
