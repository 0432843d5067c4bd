//! An install that looks at some namespaces, with rights in these alone.

use std::time::Duration;

use super::{
    guide, installation,
    running::{Running, assert_nothing_was_refused, becomes_true, install_vpa},
};
use support::{
    Cluster, eventually, eventually::throughout, exporter::Exporter, install, namespace::Namespace,
    process::free_port, prometheus::Prometheus, vas,
};

/// The namespaces that the guide names.
const WATCHED: [&str; 2] = ["orders", "shop"];

/// Takes away the bindings in all namespaces that tests before this one made: an apply deletes nothing.
fn nothing_installed(cluster: &Cluster) {
    let bindings = [
        "vas-operator",
        "vas-operator-scale-targets",
        "vas-operator-limits",
        "vas-metrics-server",
    ];
    let delete = ["delete", "clusterrolebinding", "--ignore-not-found"];
    cluster.kubectl_ok(&[&delete[..], &bindings].concat(), None);
}

/// A resource whose metric is read from Prometheus, with a child of every kind that needs no further right.
const RESOURCE: &str = r#"
apiVersion: scaling.voiceassist.io/v1alpha1
kind: VoiceAssistScaling
metadata: {name: voiceassist}
spec:
  workloads:
  - name: worker
    scaleTargetRef: {name: worker}
    minReplicas: 2
    maxReplicas: 5
    metrics:
    - name: queue-depth
      queueDepth: {gauge: voiceassist_queue_depth, matchLabels: {queue: default}, target: {averageValue: "50"}}
    vertical: {updateMode: "Off", containers: [{name: "*", controlledResources: [memory], maxAllowed: {memory: 2Gi}}]}
    disruption: {maxUnavailable: 1}
"#;

/// Gives a namespace a Deployment, a resource for it, and a series.
fn scaled(exporter: &Exporter, namespace: &Namespace<'_>) {
    namespace.apply(&include_str!("../../fixtures/deployment.yaml").replace("api-gateway", "worker"));
    namespace.apply(RESOURCE);
    let labels = [("namespace", namespace.name()), ("queue", "default")];
    exporter.set("voiceassist_queue_depth", &labels, 150.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn some_namespaces_are_scaled_with_rights_in_these_alone_and_nothing_is_refused() {
    let cluster = installation::running().await;
    install_vpa(&cluster);
    nothing_installed(&cluster);
    let prometheus = Prometheus::start("watched").await;
    let exporter = Exporter::start().await;
    prometheus.register("worker", &exporter.target());
    let watched = WATCHED.map(|name| Namespace::named(&cluster, name));
    let install = guide::kustomization("Only some namespaces");
    install::apply_rendered(&cluster, &install);
    let called = free_port();
    install::route_metrics_server(&cluster, called);
    for name in WATCHED {
        let right = format!("list pods -n {name}");
        installation::eventually_can(&cluster, installation::METRICS_SERVER, &right).await;
        let right = format!("get deployments.apps --subresource=scale -n {name}");
        installation::eventually_can(&cluster, installation::OPERATOR, &right).await;
    }
    let elsewhere = Namespace::create(&cluster, "elsewhere");
    for (account, right) in [
        (installation::METRICS_SERVER, "list pods"),
        (installation::OPERATOR, "list voiceassistscalings"),
        (
            installation::OPERATOR,
            "create horizontalpodautoscalers.autoscaling",
        ),
        (installation::OPERATOR, "get deployments.apps"),
    ] {
        let right = format!("{right} -n {}", elsewhere.name());
        assert!(!cluster.can(account, &right), "{account} may {right}");
    }

    let since = jiff::Timestamp::now();
    let mut running = Running::start(&cluster, &install, &prometheus, called);
    for namespace in watched.iter().chain([&elsewhere]) {
        scaled(&exporter, namespace);
    }
    for namespace in &watched {
        for (object, type_) in [
            (["vas", "voiceassist"], "MetricsAvailable"),
            (["hpa", "voiceassist-worker"], "ScalingActive"),
        ] {
            becomes_true(namespace, object, type_).await;
        }
    }
    throughout(
        Duration::from_secs(3),
        "another namespace is left alone",
        || async {
            match elsewhere.object("hpa", "voiceassist-worker") {
                None => Ok(()),
                Some(_) => Err("there is an HPA"),
            }
        },
    )
    .await;
    // A change in each of the namespaces is seen.
    let patch = r#"[{"op": "replace", "path": "/spec/workloads/0/maxReplicas", "value": 7}]"#;
    for namespace in &watched {
        namespace.kubectl(&["patch", "vas/voiceassist", "--type=json", "-p", patch]);
    }
    for namespace in &watched {
        eventually(Duration::from_secs(60), "the HPA follows", || async {
            let hpa = namespace.object("hpa", "voiceassist-worker").unwrap_or_default();
            let seen = hpa["spec"]["maxReplicas"].clone();
            if seen == 7 { Ok(()) } else { Err(seen) }
        })
        .await;
    }
    running.assert_running();
    assert_nothing_was_refused(&cluster, since);

    let doctor = vas::administer(&cluster, &["doctor", "--verbose", "-n", "shop"]);
    let words = String::from_utf8_lossy(&doctor.stdout);
    assert!(
        words.contains("may do all that it needs to") && !words.contains("lacks"),
        "{words}{}",
        String::from_utf8_lossy(&doctor.stderr)
    );

    // With the namespace its rights go. The other one must not wait for it. The servers run until it is gone: a namespace
    // stays while an APIService leads to nobody.
    let [orders, shop] = watched;
    drop(orders);
    let gone = ["wait", "--for=delete", "namespace/orders", "--timeout=60s"];
    cluster.kubectl_ok(&gone, None);
    drop(running);
    let mut running = Running::start(&cluster, &install, &prometheus, called);
    let patch = patch.replace('7', "8");
    shop.kubectl(&["patch", "vas/voiceassist", "--type=json", "-p", &patch]);
    eventually(
        Duration::from_secs(180),
        "the HPA follows without the other namespace",
        || async {
            let hpa = shop.object("hpa", "voiceassist-worker").unwrap_or_default();
            let seen = hpa["spec"]["maxReplicas"].clone();
            if seen == 8 { Ok(()) } else { Err(seen) }
        },
    )
    .await;
    running.assert_running();
    drop(running);
    let apis = ["v1beta1.custom.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io"];
    cluster.kubectl_ok(&[&["delete", "apiservice"], &apis[..]].concat(), None);
}
