//! KEDA: its operator, its adapter, and the objects through which it knows a workload.
//!
//! The adapter asks the operator for each value by gRPC, and the operator asks Prometheus. KEDA serves
//! External metrics only.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, PostParams},
};
use serde_json::{Value, json};

use crate::{
    adapters::binary,
    arguments::KedaReads,
    workload::Workload,
    world::{NAMESPACE, World},
};
use support::{
    Cluster,
    cluster::root,
    eventually,
    process::{Process, free_port},
};

/// Names of programs in `target/bench/bin`.
pub(crate) const ADAPTER: &str = "keda-adapter";
pub(crate) const OPERATOR: &str = "keda-operator";
/// Directory of KEDA's CRDs, which `build.sh` copies from its sources.
const DEFINITIONS: &str = "target/bench/keda";

/// Starts the operator and the adapter, which listens on `port`. The limits of their own clients are raised
/// as far as they allow, because by default the operator needs minutes to read 1,000 resources.
pub(crate) fn start(world: &World, port: u16) -> Vec<Process> {
    let cluster = &world.cluster;
    let metrics_service = free_port();
    let env = [
        ("KUBECONFIG", cluster.kubeconfig().display().to_string()),
        ("POD_NAMESPACE", NAMESPACE.to_owned()),
        ("KEDA_CLUSTER_OBJECT_NAMESPACE", NAMESPACE.to_owned()),
        ("WATCH_NAMESPACE", String::new()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let shared = [
        format!("--cert-dir={}", world.certificate.dir.display()),
        "--kube-api-qps=100000".to_owned(),
        "--kube-api-burst=100000".to_owned(),
    ];
    let operator = [
        format!("--metrics-service-bind-address=127.0.0.1:{metrics_service}"),
        format!("--metrics-bind-address=127.0.0.1:{}", free_port()),
        format!("--health-probe-bind-address=127.0.0.1:{}", free_port()),
        "--zap-log-level=info".to_owned(),
    ];
    let kubeconfig = cluster.kubeconfig().display().to_string();
    let kubeconfigs =
        ["lister", "authentication", "authorization"].map(|what| format!("--{what}-kubeconfig={kubeconfig}"));
    let adapter = [
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--port={}", free_port()),
        format!("--tls-cert-file={}", world.certificate.chain.display()),
        format!("--tls-private-key-file={}", world.certificate.key.display()),
        format!("--metrics-service-address=localhost:{metrics_service}"),
        "--zap-log-level=error".to_owned(),
    ];
    let start = |name: &str, args: Vec<String>| {
        let log = cluster.dir().join(format!("{name}.log"));
        Process::start(name, &binary(name), &args, &env, log)
    };
    vec![
        start(OPERATOR, [&shared[..], &operator].concat()),
        start(ADAPTER, [&shared[..], &kubeconfigs, &adapter].concat()),
    ]
}

/// Whether KEDA was built.
pub(crate) fn is_built() -> bool {
    binary(ADAPTER).is_file() && binary(OPERATOR).is_file() && root().join(DEFINITIONS).is_dir()
}

/// Installs KEDA's CRDs, and waits until they are served.
pub(crate) async fn install(cluster: &Cluster) {
    cluster.kubectl_ok(&["apply", "--server-side", "-f", DEFINITIONS], None);
    // `kubectl wait` fails on a CRD that is so new that it has no conditions.
    let get = ["get", "scaledobjects.keda.sh", "--all-namespaces"];
    eventually(Duration::from_secs(30), "ScaledObjects are served", || async {
        let output = cluster.kubectl(&get, None);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        output.status.success().then_some(()).ok_or(error)
    })
    .await;
}

/// Creates the objects that KEDA needs to serve a workload's metric.
pub(crate) async fn create(
    client: &Client,
    workload: Workload,
    prometheus: &str,
    reads: KedaReads,
) -> Result<(), kube::Error> {
    let namespace = workload.namespace();
    let deployment = serde_json::from_value(deployment()).map_err(kube::Error::SerdeError)?;
    let deployments = Api::<Deployment>::namespaced(client.clone(), &namespace);
    deployments.create(&PostParams::default(), &deployment).await?;
    let object: DynamicObject = serde_json::from_value(scaled_object(&namespace, prometheus, reads))
        .map_err(kube::Error::SerdeError)?;
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("keda.sh", "v1alpha1", "ScaledObject"));
    let objects = Api::<DynamicObject>::namespaced_with(client.clone(), &namespace, &kind);
    objects.create(&PostParams::default(), &object).await.map(drop)
}

/// The scale target, without which KEDA serves no metric. It is paused, so it makes no pods.
fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api"},
        "spec": {
            "paused": true,
            "replicas": crate::workload::PODS,
            "selector": {"matchLabels": {"app": "api"}},
            "template": {
                "metadata": {"labels": {"app": "api"}},
                "spec": {"containers": [{"name": "app", "image": "voiceassist/app"}]},
            },
        },
    })
}

/// The resource that asks KEDA for the same metric as the external one of [`Workload::scaling`].
fn scaled_object(namespace: &str, prometheus: &str, reads: KedaReads) -> Value {
    json!({
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "api"},
        "spec": {
            "scaleTargetRef": {"name": "api"},
            "minReplicaCount": 1,
            "maxReplicaCount": 10,
            "triggers": [{
                "type": "prometheus",
                "useCachedMetrics": reads == KedaReads::Cached,
                "metadata": {
                    "serverAddress": prometheus,
                    "query": format!("max(bench_queue_depth{{namespace=\"{namespace}\"}})"),
                    "threshold": "50",
                },
            }],
        },
    })
}
