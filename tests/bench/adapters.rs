//! The servers that are measured, each as a process that can be paused.
//!
//! Only one runs at a time: what a paused one would do by itself, such as polling Prometheus, is then not
//! counted as another's cost.

use std::time::Duration;

use crate::{
    arguments::{Peer, Read},
    load::{Caller, Http},
    workload::{Dialect, Workload},
    world::{FIXED_GROUP, NAMESPACE, World},
};
use support::{
    eventually, peers,
    process::{Process, Signal, free_port},
    vas,
};

/// Names of the servers in tables.
pub(crate) const VAS: &str = "vas";
pub(crate) const PROMETHEUS_ADAPTER: &str = "prometheus-adapter";
pub(crate) const KEDA: &str = "KEDA";
pub(crate) const FIXED: &str = "fixed bytes";

const CUSTOM: [(&str, &str); 2] = [
    ("custom.metrics.k8s.io", "v1beta1"),
    ("custom.metrics.k8s.io", "v1beta2"),
];
const EXTERNAL: (&str, &str) = ("external.metrics.k8s.io", "v1beta1");

/// One measured server.
pub(crate) struct Adapter {
    /// Its name in tables.
    pub name: &'static str,
    kind: Kind,
    service: &'static str,
    /// Its secure port.
    pub port: u16,
    /// All processes that take part in answering, besides Prometheus and the API server.
    processes: Vec<Process>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Adapter(Dialect),
    Fixed,
}

impl Adapter {
    /// `vas metrics-server` with its default settings and the rights of an administrator.
    pub(crate) fn vas(world: &World) -> Self {
        let port = free_port();
        let args = [
            "metrics-server".to_owned(),
            format!("--kubeconfig={}", world.cluster.kubeconfig().display()),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            format!("--metrics-bind-address=127.0.0.1:{}", free_port()),
            format!("--prometheus-url={}", world.prometheus.url()),
            format!("--tls-cert-file={}", world.certificate.chain.display()),
            format!("--tls-private-key-file={}", world.certificate.key.display()),
            "--service-name=vas".to_owned(),
            "--service-namespace=bench".to_owned(),
            "--leader-elect=false".to_owned(),
        ];
        Self {
            name: VAS,
            kind: Kind::Adapter(Dialect::Vas),
            service: "vas",
            port,
            processes: vec![vas::start("bench-vas", &args, &[])],
        }
    }

    /// The server that answers with fixed bytes.
    pub(crate) fn fixed(world: &World) -> Self {
        let port = free_port();
        let args = [
            "fixed-bytes".to_owned(),
            port.to_string(),
            world.certificate.chain.display().to_string(),
            world.certificate.key.display().to_string(),
        ];
        let own = std::env::current_exe().expect("the path of this program");
        let log = world.cluster.dir().join("fixed-bytes.log");
        Self {
            name: FIXED,
            kind: Kind::Fixed,
            service: "fixed-bytes",
            port,
            processes: vec![Process::start("fixed-bytes", &own, &args, &[], log)],
        }
    }

    /// prometheus-adapter, with rules for the same metrics as vas's resources.
    pub(crate) fn prometheus_adapter(world: &World) -> Self {
        let port = free_port();
        let adapter = peers::prometheus_adapter(
            &world.cluster,
            &world.certificate,
            include_str!("prometheus-adapter.yaml"),
            &world.prometheus.url(),
            port,
        );
        Self {
            name: PROMETHEUS_ADAPTER,
            kind: Kind::Adapter(Dialect::PrometheusAdapter),
            service: "prometheus-adapter",
            port,
            processes: vec![adapter],
        }
    }

    /// KEDA's adapter and its operator.
    pub(crate) fn keda(world: &World) -> Self {
        let port = free_port();
        Self {
            name: KEDA,
            kind: Kind::Adapter(Dialect::Keda),
            service: "keda",
            port,
            processes: peers::keda(&world.cluster, &world.certificate, NAMESPACE, port),
        }
    }

    /// Ids of the processes of the adapter.
    pub(crate) fn ids(&self) -> Vec<u32> {
        self.processes.iter().map(Process::id).collect()
    }

    /// Whether the server answers this kind of read.
    pub(crate) fn serves(&self, read: Read) -> bool {
        match self.kind {
            Kind::Adapter(Dialect::Keda) => matches!(read, Read::External | Read::Discovery),
            Kind::Adapter(Dialect::Vas | Dialect::PrometheusAdapter) | Kind::Fixed => true,
        }
    }

    /// Whether it is the server of fixed bytes, which is only the lower bound of the cost.
    pub(crate) fn is_floor(&self) -> bool {
        self.kind == Kind::Fixed
    }

    /// Lets the server run, or pauses it.
    pub(crate) fn run(&self, run: bool) {
        for process in &self.processes {
            process.signal(if run { Signal::Cont } else { Signal::Stop });
        }
    }

    /// Lets the server run, and waits until it has caught up: everything that KEDA would have polled is due
    /// at once.
    pub(crate) async fn resume(&self) {
        self.run(true);
        if self.kind == Kind::Adapter(Dialect::Keda) {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    }

    /// Panics with the log of a process of this server that has ended.
    pub(crate) fn assert_running(&mut self) {
        for process in &mut self.processes {
            process.assert_running();
        }
    }

    /// The API groups that are routed to the server.
    pub(crate) fn groups(&self, reads: &[Read]) -> Vec<(&'static str, &'static str)> {
        match self.kind {
            Kind::Fixed => vec![(FIXED_GROUP, "v1")],
            Kind::Adapter(Dialect::Keda) => vec![EXTERNAL],
            Kind::Adapter(_) if reads.contains(&Read::External) => [&CUSTOM[..], &[EXTERNAL]].concat(),
            Kind::Adapter(_) => CUSTOM.to_vec(),
        }
    }

    /// The Service through which the server is reached.
    pub(crate) fn service(&self) -> &'static str {
        self.service
    }

    /// The URLs of a read. The server of fixed bytes answers `bytes` to as many different URLs.
    pub(crate) fn paths(&self, read: Read, workloads: usize, bytes: usize) -> Vec<String> {
        let all = (0..workloads).map(Workload);
        match self.kind {
            Kind::Adapter(dialect) => all.map(|workload| workload.path(read, dialect)).collect(),
            Kind::Fixed => all
                .map(|workload| {
                    let namespace = workload.namespace();
                    format!("/apis/{FIXED_GROUP}/v1/namespaces/{namespace}/answers/api/get?bytes={bytes}")
                })
                .collect(),
        }
    }

    /// Waits until every URL of a read has its values. Returns the size of the last answer in bytes.
    pub(crate) async fn wait_for(&self, port: u16, caller: &Caller, read: Read, paths: &[String]) -> usize {
        let what = format!("{} answers {} reads", self.name, read.name());
        eventually(Duration::from_secs(90), &what, || async {
            let http = Http::connect(port, caller, 1, paths)
                .await
                .map_err(|error| error.to_string())?;
            let mut size = 0;
            for number in 0..paths.len() {
                let number = u64::try_from(number).unwrap_or(0);
                let answer = tokio::time::timeout(Duration::from_secs(10), http.ask(number)).await;
                let (status, body) = answer
                    .map_err(|_| "no answer within 10 s".to_owned())?
                    .map_err(|error| error.to_string())?;
                let text = String::from_utf8_lossy(&body);
                let complete = self.is_floor() || has_values(read, &body);
                if status != 200 || !complete {
                    return Err(format!(
                        "{status}: {}",
                        text.chars().take(300).collect::<String>()
                    ));
                }
                size = body.len();
            }
            Ok(size)
        })
        .await
    }
}

/// Whether a body contains the values that a read asks for.
fn has_values(read: Read, body: &[u8]) -> bool {
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(body) else {
        return false;
    };
    let items = document["items"].as_array().map_or(0, Vec::len);
    match read {
        Read::Object | Read::External => items == 1,
        Read::Pods => items == crate::workload::PODS,
        Read::Discovery => document["resources"].is_array(),
    }
}

/// Why a peer cannot be measured; `None` when it can.
pub(crate) fn absent(peer: Peer) -> Option<String> {
    match peer {
        Peer::None => Some(String::new()),
        Peer::PrometheusAdapter => (!peers::binary(peers::PROMETHEUS_ADAPTER).is_file()).then(|| {
            "prometheus-adapter is not built here: `tests/bench/peers/build.sh prometheus-adapter`".to_owned()
        }),
        Peer::Keda => (!peers::keda_is_built()).then(|| {
            "KEDA is not built here: `tests/bench/peers/build.sh keda`, which takes long".to_owned()
        }),
    }
}
