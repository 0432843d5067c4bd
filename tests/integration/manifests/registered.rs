//! `vas register` and `vas unregister` on a real API server: whom they refuse, what they keep, what they leave alone.

use std::{process::Output, time::Duration};

use serde_json::{Value, json};

use super::installation::{METRICS_SERVER, cluster, eventually_can};
use support::{Cluster, eventually, install, namespace::Namespace, vas};

/// A deadline on a machine that runs all tests at once.
const PATIENCE: Duration = Duration::from_secs(90);

const CUSTOM: [&str; 2] = ["v1beta1.custom.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io"];

fn said(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    format!("{stdout}{}", String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn vas_ok(cluster: &Cluster, args: &[&str]) -> String {
    let output = vas::administer(cluster, args);
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    said(&output)
}

/// The install without APIServices, whatever a test before this one left.
async fn installed(cluster: &Cluster) {
    cluster.kubectl_ok(
        &["delete", "apiservice", "--ignore-not-found", CUSTOM[0], CUSTOM[1]],
        None,
    );
    cluster.kubectl_ok(&["apply", "-k", install::INSTALL], None);
    let rollout = [
        "-n",
        "vas-system",
        "rollout",
        "status",
        "deployment/vas-metrics-server",
        "--timeout=60s",
    ];
    cluster.kubectl_ok(&rollout, None);
    // The endpoints follow the pods a moment later.
    eventually(PATIENCE, "a pod behind the Service is ready", || async {
        let of_the_service = "kubernetes.io/service-name=vas-metrics-server";
        let slices = cluster.objects("vas-system", "endpointslices", of_the_service);
        let mut endpoints = slices
            .iter()
            .flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
        if endpoints.any(|endpoint| endpoint["conditions"]["ready"] == true) {
            Ok(())
        } else {
            Err(Value::from(slices).to_string())
        }
    })
    .await;
}

fn api_service(cluster: &Cluster, name: &str) -> Value {
    cluster
        .read("", "apiservice", name)
        .expect("the APIService is there")
}

/// The APIService of another adapter, as its chart makes it.
fn foreign(cluster: &Cluster, name: &str) {
    let (version, group) = name.split_once('.').expect("VERSION.GROUP");
    let object = json!({
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": name, "annotations": {
            "meta.helm.sh/release-name": "adapter", "meta.helm.sh/release-namespace": "monitoring"}},
        "spec": {
            "group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": true,
            "service": {"namespace": "monitoring", "name": "prometheus-adapter", "port": 443},
        },
    });
    let applied = cluster.try_apply("", &object, "helm");
    applied.expect("the APIService is taken");
}

#[tokio::test]
async fn an_install_whose_pods_do_not_run_hurts_nobody_and_is_not_registered() {
    let cluster = cluster().await;
    installed(&cluster).await;
    let scale = |replicas| cluster.scale("vas-system", "vas-metrics-server", replicas);
    scale(0);
    let pods = "app.kubernetes.io/name=vas-metrics-server";
    eventually(PATIENCE, "the pods are gone", || async {
        let pods = cluster.objects("vas-system", "pods", pods);
        if pods.is_empty() { Ok(()) } else { Err(pods.len()) }
    })
    .await;
    eventually(PATIENCE, "it refuses", || async {
        let refused = vas::administer(&cluster, &["register", "--timeout=0s"]);
        let words = said(&refused);
        if refused.status.code() == Some(1)
            && words.contains("no pod behind Service vas-system/vas-metrics-server is ready")
        {
            Ok(())
        } else {
            vas_ok(&cluster, &["unregister"]);
            Err(words)
        }
    })
    .await;
    let namespace = Namespace::create(&cluster, "bystander");
    cluster.delete("", "namespace", namespace.name());
    scale(2);
}

#[tokio::test]
async fn another_adapter_s_api_is_taken_only_when_told_to_and_its_readers_are_named() {
    let cluster = cluster().await;
    installed(&cluster).await;
    let name = CUSTOM[0];
    foreign(&cluster, name);
    let namespace = Namespace::create(&cluster, "readers");
    namespace.apply(
        "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {maxReplicas: 3, \
         scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, metrics: [{type: Pods, pods: \
         {metric: {name: http_requests}, target: {type: AverageValue, averageValue: '5'}}}]}}",
    );

    let before = api_service(&cluster, name);
    let refused = vas::administer(&cluster, &["register", "--timeout=0s"]);
    assert_eq!(refused.status.code(), Some(1));
    let words = said(&refused);
    for part in [
        format!("APIService {name} leads to Service monitoring/prometheus-adapter"),
        format!("{}/web", namespace.name()),
        "--take-over".to_owned(),
    ] {
        assert!(words.contains(&part), "{part}: {words}");
    }
    assert_eq!(api_service(&cluster, name)["spec"], before["spec"]);
    let other = cluster.object("", "apiservice", CUSTOM[1]);
    assert_eq!(other, None, "half of the group was registered");
    // The same refusal without vas.
    let conflict = cluster.kubectl(&["apply", "--server-side", "-k", install::REGISTER], None);
    assert!(said(&conflict).contains("with \"helm\""), "{}", said(&conflict));
    let stays = vas_ok(&cluster, &["unregister"]);
    assert!(
        stays.contains("leads to Service monitoring/prometheus-adapter, and stays"),
        "{stays}"
    );

    let taken = vas_ok(&cluster, &["register", "--take-over", "--timeout=0s"]);
    assert!(
        taken.contains(
            "taken over from Service monitoring/prometheus-adapter; Helm release monitoring/adapter"
        ),
        "{taken}"
    );
    let spec = api_service(&cluster, name)["spec"].clone();
    assert_eq!(
        spec["service"],
        json!({"namespace": "vas-system", "name": "vas-metrics-server", "port": 443})
    );
    assert_ne!(
        spec["insecureSkipTLSVerify"],
        json!(true),
        "nobody could set a caBundle"
    );
    let patch = format!("patch apiservices/{name}");
    eventually_can(&cluster, METRICS_SERVER, &patch).await;
    let again = vas_ok(&cluster, &["register", "--timeout=0s"]);
    assert!(again.contains("leads to vas already"), "{again}");
    vas_ok(&cluster, &["unregister"]);
    let left = cluster.kubectl_ok(&["get", "apiservices", "-o=name"], None);
    assert!(!left.contains("custom.metrics"), "{left}");
}

#[tokio::test]
async fn an_upgrade_that_prunes_keeps_the_apiservices_that_were_applied_with_the_rest() {
    let cluster = cluster().await;
    installed(&cluster).await;
    cluster.kubectl_ok(&["apply", "-k", "tests/fixtures/install-with-apiservices"], None);
    for name in CUSTOM {
        cluster.patch("", "apiservice", name, &json!({"spec": {"caBundle": "YQ=="}}));
    }
    let state = || {
        CUSTOM.map(|name| {
            let live = api_service(&cluster, name);
            (live["metadata"]["uid"].clone(), live["spec"]["caBundle"].clone())
        })
    };
    let before = state();
    // As any upgrade without pruning.
    cluster.kubectl_ok(&["apply", "-k", install::INSTALL], None);
    assert_eq!(state(), before);
    let prune = [
        "apply",
        "--prune",
        "--selector=app.kubernetes.io/part-of=voiceassist-scaling",
        "--prune-allowlist=apiregistration.k8s.io/v1/APIService",
        "-k",
        install::INSTALL,
    ];
    vas_ok(&cluster, &["register", "--timeout=0s"]);
    let upgraded = cluster.kubectl_ok(&prune, None);
    assert!(!upgraded.contains("pruned"), "{upgraded}");
    assert_eq!(state(), before);

    // What the upgrade notes warn of: without the command, the installer finds them by what it wrote.
    vas_ok(&cluster, &["unregister"]);
    cluster.kubectl_ok(&["apply", "-k", "tests/fixtures/install-with-apiservices"], None);
    let upgraded = cluster.kubectl_ok(&prune, None);
    assert!(upgraded.contains("pruned"), "{upgraded}");
}
