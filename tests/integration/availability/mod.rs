//! Whether the HPA goes on reading while replicas, certificates, APIServices and Prometheus come and go.
//!
//! There are two replicas behind one Service on a cluster of their own, with a certificate that lasts a minute. There are
//! two such clusters, so that the tests of rotation, which take minutes, hold up no others.
//!
//! The tests change objects that belong to the cluster as a whole, so they run one after the other. Between
//! them the replicas go on, and the certificate goes on rotating.

mod certificate_files;
mod gaps;
mod loss;
mod ownership;
mod refused;
mod rotation;

use std::{sync::LazyLock, time::Duration};

use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::Api;
use tokio::runtime::Runtime;

use crate::metrics_server::stack::{POLLED_OFTEN, apply, deployment};
use support::{
    Cluster,
    balancer::Balancer,
    cluster::SCALED_OFTEN,
    eventually,
    exporter::Exporter,
    install,
    kustomization::Kustomization,
    namespace::Namespace,
    process::{Process, free_port},
    prometheus::Prometheus,
    shared::{Group, Held, Shared},
    vas,
};

/// Shortest allowed times: a rotation takes half a minute, and the next one begins when it ends.
const TIMES: [(&str, &str); 3] = [
    ("VAS_SELF_SIGNED_VALIDITY", "60s"),
    ("VAS_SELF_SIGNED_RENEW_BEFORE", "29s"),
    ("VAS_SELF_SIGNED_OVERLAP", "10s"),
];

const SPEC: &str = "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 3
  metrics: [{name: depth, queueDepth: {gauge: pair_depth, target: {averageValue: '50'}}}]
";

/// A replica and its plain port.
pub(super) struct Replica {
    pub process: Process,
    pub metrics_port: u16,
}

impl Replica {
    pub(super) async fn metrics(&self) -> String {
        let url = format!("http://127.0.0.1:{}/metrics", self.metrics_port);
        match reqwest::get(url).await {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(error) => error.to_string(),
        }
    }
}

/// Everything between the exporter and the HPA.
pub(super) struct Pair {
    pub cluster: &'static Cluster,
    pub balancer: Balancer,
    pub replicas: Vec<Replica>,
    pub namespace: Namespace<'static>,
    install: Kustomization,
    prometheus: Prometheus,
    started: u32,
    exporter: Exporter,
}

/// A runtime that goes on between the tests.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
});

/// The two replicas, ready and read from, for one test at a time.
pub(super) async fn pair() -> Held<Pair> {
    static PAIR: Group<Pair> = Group::new();
    ready(&PAIR, "pair").await
}

/// Another two on another cluster, for the tests that take minutes.
pub(super) async fn pair_for_long() -> Held<Pair> {
    static PAIR: Group<Pair> = Group::new();
    ready(&PAIR, "pair-for-long").await
}

async fn ready(pairs: &'static Group<Pair>, name: &'static str) -> Held<Pair> {
    let pair = pairs.hold(async || RUNTIME.spawn(Pair::start(name)).await).await;
    pair.is_read().await;
    pair
}

impl Shared for Pair {
    fn cluster(&self) -> &Cluster {
        self.cluster
    }

    fn namespace(&self) -> &str {
        self.namespace.name()
    }

    fn processes(&self) -> Vec<&Process> {
        self.replicas.iter().map(|replica| &replica.process).collect()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.replicas.clear();
        self.cluster.end();
    }
}

impl Pair {
    async fn start(name: &str) -> Self {
        let cluster: &'static Cluster = Box::leak(Box::new(Cluster::start(name, &[SCALED_OFTEN])));
        let install = install::apply(cluster);
        let prometheus = Prometheus::start(name).await;
        let exporter = Exporter::start().await;
        prometheus.register("exporter", &exporter.target());
        let balancer = Balancer::start().await;
        install::route_metrics_server(cluster, balancer.port);
        let namespace = Namespace::create(cluster, "pair");
        namespace.apply(&deployment("worker", 1));
        apply(&namespace, "voiceassist", SPEC);
        exporter.set("pair_depth", &[("namespace", namespace.name())], 40.0);
        let mut pair = Self {
            cluster,
            balancer,
            replicas: Vec::new(),
            namespace,
            install,
            prometheus,
            started: 0,
            exporter,
        };
        pair.start_replica();
        pair.start_replica();
        pair
    }

    /// Starts a further replica, as in the install except for the lifetime of certificates.
    pub(super) fn start_replica(&mut self) {
        let rendered = self.install.deployment("vas-metrics-server");
        let name = format!("vas-metrics-server-{}", self.started);
        self.started += 1;
        let kubeconfig = self
            .cluster
            .service_account_kubeconfig("vas-system", "vas-metrics-server");
        let (port, metrics_port) = (free_port(), free_port());
        let args = rendered.args(&[
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--secure-port={port}"),
            format!("--metrics-bind-address=127.0.0.1:{metrics_port}"),
            format!("--prometheus-url={}", self.prometheus.url()),
            POLLED_OFTEN.to_owned(),
        ]);
        let mut env = rendered.env(&name);
        env.extend(TIMES.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let process = vas::start(&name, &args, &env);
        self.balancer.add(port, metrics_port);
        self.replicas.push(Replica {
            process,
            metrics_port,
        });
    }

    /// The path that the HPA reads.
    pub(super) fn path(&self) -> String {
        format!(
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/deployments.apps/worker/depth",
            self.namespace.name()
        )
    }

    /// Waits until so many replicas are ready.
    pub(super) async fn are_ready(&self, wanted: usize) {
        eventually(Duration::from_secs(60), "the replicas are ready", || async {
            let ready = self.balancer.ready();
            if ready == wanted { Ok(()) } else { Err(ready) }
        })
        .await;
    }

    /// Waits until both replicas are ready and the API server reads the metric from them.
    async fn is_read(&self) {
        self.are_ready(2).await;
        eventually(Duration::from_secs(60), "the metric is read", || async {
            self.cluster.raw(&self.path()).map(drop)
        })
        .await;
    }

    /// The `caBundle` of an APIService, and whether it is there at all.
    pub(super) async fn ca_bundle(&self, name: &str) -> Option<Vec<u8>> {
        let api: Api<APIService> = Api::all(self.cluster.client().await);
        let found = api.get_opt(name).await.expect("APIServices can be read")?;
        Some(found.spec?.ca_bundle.map(|bundle| bundle.0).unwrap_or_default())
    }
}
