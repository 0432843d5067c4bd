//! Everything that runs before anybody is attacked: the installation, as users install it.

use std::time::Duration;

use kube::Client;
use serde_json::Value;

use crate::{cage::Cage, gateway::Gateway, record::Record, say};
use support::{
    Cluster, eventually,
    exporter::Exporter,
    install,
    kustomization::Kustomization,
    process::{Process, free_port},
    prometheus::Prometheus,
};

/// The running stage. Dropping it ends everything, the cluster last.
pub(crate) struct Stage {
    /// Operator and metrics server.
    pub servers: [Server; 2],
    /// Port of the metrics API.
    pub secure_port: u16,
    /// Series of the innocent tenant.
    pub exporter: Exporter,
    /// The Prometheus server that is attacked with series.
    pub prometheus: Prometheus,
    /// A client with the administrator's rights.
    pub client: Client,
    /// The cluster of the attack.
    pub cluster: Cluster,
}

/// One of the two servers.
pub(crate) struct Server {
    /// Name of its Deployment.
    pub name: &'static str,
    /// The process of the server.
    pub process: Process,
    /// Its plain port.
    pub plain_port: u16,
    /// The memory limit of its Deployment, in KiB.
    pub limit: u64,
    /// The cgroup that enforces the limit. It is dropped after the process.
    pub cage: Option<Cage>,
}

impl Stage {
    /// Starts everything, and waits until the metrics API is served.
    pub(crate) async fn set(record: &Record) -> Self {
        say("starting the cluster, Prometheus, vas operator and vas metrics-server");
        let cluster = Cluster::start("attack", &[]);
        let client = cluster.client().await;
        let install = install::apply(&cluster);
        let prometheus = Prometheus::start("attack").await;
        let exporter = Exporter::start().await;
        prometheus.register("innocent", &exporter.target());
        let gateway = Gateway::start(&prometheus.url(), record).await;
        let secure_port = free_port();
        let operator = Server::start(&cluster, &install, "vas-operator", &[]);
        let addresses = [
            format!("--secure-port={secure_port}"),
            format!("--prometheus-url={}", gateway.url()),
        ];
        let metrics_server = Server::start(&cluster, &install, "vas-metrics-server", &addresses);
        install::route_metrics_server(&cluster, secure_port);
        let path = "/apis/custom.metrics.k8s.io/v1beta2";
        eventually(Duration::from_secs(120), "the metrics API is served", || async {
            let output = cluster.kubectl(&["get", "--raw", path], None);
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            output.status.success().then_some(()).ok_or(words)
        })
        .await;
        Self {
            servers: [operator, metrics_server],
            secure_port,
            exporter,
            prometheus,
            client,
            cluster,
        }
    }

    /// An object as JSON; null if it does not exist.
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Value {
        let output = self
            .cluster
            .kubectl(&["-n", namespace, "get", name, "-o", "json"], None);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Panics with the log of a server that has ended.
    pub(crate) fn assert_running(&mut self) {
        for server in &mut self.servers {
            server.process.assert_running();
        }
    }
}

impl Server {
    fn start(cluster: &Cluster, install: &Kustomization, name: &'static str, addresses: &[String]) -> Self {
        let plain_port = free_port();
        let mut appended = vec![format!("--metrics-bind-address=127.0.0.1:{plain_port}")];
        appended.extend_from_slice(addresses);
        let deployment = install.find("Deployment", name).expect("the install has it");
        let limit = &deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"];
        let limit = limit.as_str().and_then(|limit| limit.strip_suffix("Mi"));
        let limit: u64 = limit.and_then(|limit| limit.parse().ok()).expect("a limit in Mi");
        let limit = limit * 1024;
        let deployment = install.deployment(name);
        let process = deployment.start(cluster, &format!("{name}-0"), &appended);
        Self {
            name,
            cage: Cage::around(process.id(), name, limit),
            process,
            plain_port,
            limit,
        }
    }
}
