//! prometheus-adapter and KEDA as processes on this machine. `tests/bench/peers/build.sh` builds them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Cluster,
    certificate::Certificate,
    cluster::root,
    eventually,
    process::{Process, free_port},
};

/// Names of programs in `target/bench/bin`.
pub const PROMETHEUS_ADAPTER: &str = "prometheus-adapter";
pub const KEDA_ADAPTER: &str = "keda-adapter";
pub const KEDA_OPERATOR: &str = "keda-operator";
/// Directory of KEDA's CRDs, which `build.sh` copies from its sources.
const KEDA_DEFINITIONS: &str = "target/bench/keda";

/// Path of a program that `build.sh` has built.
pub fn binary(name: &str) -> PathBuf {
    root().join("target/bench/bin").join(name)
}

/// Whether KEDA was built.
pub fn keda_is_built() -> bool {
    binary(KEDA_ADAPTER).is_file()
        && binary(KEDA_OPERATOR).is_file()
        && root().join(KEDA_DEFINITIONS).is_dir()
}

/// Starts prometheus-adapter with these rules. The limits of its own client are raised as far as it allows,
/// because by default it answers only a fraction of the Pods reads.
pub fn prometheus_adapter(
    cluster: &Cluster,
    certificate: &Certificate,
    rules: &str,
    prometheus: &str,
    port: u16,
) -> Process {
    let config = cluster.dir().join("prometheus-adapter.yaml");
    std::fs::write(&config, rules).expect("a configuration can be written");
    let mut args = kubeconfigs(cluster).to_vec();
    args.extend([
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", certificate.chain.display()),
        format!("--tls-private-key-file={}", certificate.key.display()),
        format!("--config={}", config.display()),
        format!("--prometheus-url={prometheus}"),
        "--metrics-relist-interval=10s".to_owned(),
        "--metrics-max-age=1m".to_owned(),
        "--client-qps=100000".to_owned(),
        "--client-burst=100000".to_owned(),
    ]);
    start(cluster, PROMETHEUS_ADAPTER, &args, &[])
}

/// Starts KEDA's operator, and its adapter, which listens on `port`. The limits of their own clients are raised
/// as far as they allow, because by default the operator needs minutes to read 1,000 resources.
pub fn keda(cluster: &Cluster, certificate: &Certificate, namespace: &str, port: u16) -> Vec<Process> {
    let metrics_service = free_port();
    let env = [
        ("KUBECONFIG", cluster.kubeconfig().display().to_string()),
        ("POD_NAMESPACE", namespace.to_owned()),
        ("KEDA_CLUSTER_OBJECT_NAMESPACE", namespace.to_owned()),
        ("WATCH_NAMESPACE", String::new()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let shared = [
        format!("--cert-dir={}", certificate.dir.display()),
        "--kube-api-qps=100000".to_owned(),
        "--kube-api-burst=100000".to_owned(),
    ];
    let operator = [
        format!("--metrics-service-bind-address=127.0.0.1:{metrics_service}"),
        format!("--metrics-bind-address=127.0.0.1:{}", free_port()),
        format!("--health-probe-bind-address=127.0.0.1:{}", free_port()),
        "--zap-log-level=info".to_owned(),
    ];
    let adapter = [
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--port={}", free_port()),
        format!("--tls-cert-file={}", certificate.chain.display()),
        format!("--tls-private-key-file={}", certificate.key.display()),
        format!("--metrics-service-address=localhost:{metrics_service}"),
        "--zap-log-level=error".to_owned(),
    ];
    vec![
        start(cluster, KEDA_OPERATOR, &[&shared[..], &operator].concat(), &env),
        start(
            cluster,
            KEDA_ADAPTER,
            &[&shared[..], &kubeconfigs(cluster), &adapter].concat(),
            &env,
        ),
    ]
}

/// Installs KEDA's CRDs, and waits until they are served.
pub async fn install_keda(cluster: &Cluster) {
    cluster.kubectl_ok(&["apply", "--server-side", "-f", KEDA_DEFINITIONS], None);
    // `kubectl wait` fails on a CRD that is so new that it has no conditions.
    let get = ["get", "scaledobjects.keda.sh", "--all-namespaces"];
    eventually(Duration::from_secs(30), "ScaledObjects are served", || async {
        let output = cluster.kubectl(&get, None);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        output.status.success().then_some(()).ok_or(error)
    })
    .await;
}

fn kubeconfigs(cluster: &Cluster) -> [String; 3] {
    let kubeconfig = cluster.kubeconfig().display().to_string();
    ["lister", "authentication", "authorization"].map(|what| format!("--{what}-kubeconfig={kubeconfig}"))
}

fn start(cluster: &Cluster, name: &str, args: &[String], env: &[(String, String)]) -> Process {
    let log = cluster.dir().join(Path::new(name).with_extension("log"));
    Process::start(name, &binary(name), args, env, log)
}
