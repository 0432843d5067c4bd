//! `vas metrics-server`.

use std::{
    collections::BTreeMap,
    io::Write as _,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use super::{
    EXIT_INVALID,
    kube_config::KubeConfigArgs,
    leader_election::{LeaderElectionArgs, parse_duration},
    log::LogArgs,
};
use crate::{
    api::METRICS_SERVER_LEASE,
    clock::{Clock, SystemClock},
    core::promql::{LabelName, Labels},
    leader::{AfterLoss, LeaderConfig},
    metrics_server::{self, CacheTtl, Certificate, ServiceName, Settings},
    prometheus, shutdown,
};

/// The Prometheus that metrics without `prometheusServer` are read from.
const DEFAULT_SERVER: &str = "default";

/// Serve request rates, queue depths and queue ages from Prometheus to the HPA
///
/// Answers custom.metrics.k8s.io behind the Kubernetes aggregation layer. Every metric of every
/// VoiceAssistScaling is read from Prometheus every few seconds, with one query for all that differ only in
/// namespace or workload, and answered from memory. When Prometheus is away the last values are served until
/// they are older than the metric's maxAge; then the HPA is told why there is no value, and holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example, outside a cluster:
  vas metrics-server --prometheus-url=http://localhost:9090 --kubeconfig=$HOME/.kube/config --service-namespace=vas-system

The Service and the APIServices of manifests/install lead the API server here.")]
pub(super) struct Args {
    #[command(flatten)]
    kube: KubeConfigArgs,
    /// Serve the resources of this namespace only. Default: all namespaces
    #[arg(long, value_name = "NAMESPACE", env = "VAS_WATCH_NAMESPACE")]
    watch_namespace: Option<String>,
    #[command(flatten)]
    prometheus: PrometheusArgs,
    #[command(flatten)]
    serving: ServingArgs,
    #[command(flatten)]
    leader_election: LeaderElectionArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// Where the values come from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Prometheus")]
struct PrometheusArgs {
    /// URL of Prometheus' HTTP API, for example http://prometheus.monitoring:9090
    #[arg(long, value_name = "URL", env = "VAS_PROMETHEUS_URL")]
    prometheus_url: String,
    /// Time between polls of each query
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration, env = "VAS_PROMETHEUS_POLL_INTERVAL")]
    prometheus_poll_interval: Duration,
    /// Longest wait for one answer; best shorter than the time between polls
    #[arg(long, value_name = "DURATION", default_value = "4s", value_parser = parse_duration, env = "VAS_PROMETHEUS_TIMEOUT")]
    prometheus_timeout: Duration,
    /// Largest answer in bytes, counted after decompression
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = 16 << 20,
        env = "VAS_PROMETHEUS_MAX_RESPONSE_SIZE"
    )]
    prometheus_max_response_size: usize,
    /// Label that carries the namespace of a series
    #[arg(
        long,
        value_name = "LABEL",
        default_value = "namespace",
        env = "VAS_NAMESPACE_LABEL"
    )]
    namespace_label: LabelName,
    /// Label that carries the pod of a series
    #[arg(long, value_name = "LABEL", default_value = "pod", env = "VAS_POD_LABEL")]
    pod_label: LabelName,
}

/// How clients reach us.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Serving")]
struct ServingArgs {
    /// Address of the secure port
    #[arg(long, value_name = "IP", default_value = "0.0.0.0", env = "VAS_BIND_ADDRESS")]
    bind_address: IpAddr,
    /// Port of custom.metrics.k8s.io
    #[arg(long, value_name = "PORT", default_value_t = 6443, env = "VAS_SECURE_PORT")]
    secure_port: u16,
    /// Address and port of /metrics, /healthz and /readyz, over plain HTTP
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080",
        env = "VAS_METRICS_BIND_ADDRESS"
    )]
    metrics_bind_address: SocketAddr,
    /// Serving certificate in PEM; its issuer sets the caBundle of the APIServices. Default: one that the
    /// replicas issue and share in the Secret vas-metrics-server-tls, valid for ten years
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_private_key_file",
        env = "VAS_TLS_CERT_FILE"
    )]
    tls_cert_file: Option<PathBuf>,
    /// Private key of --tls-cert-file
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_cert_file",
        env = "VAS_TLS_PRIVATE_KEY_FILE"
    )]
    tls_private_key_file: Option<PathBuf>,
    /// How long an access review that allowed counts
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration, env = "VAS_AUTHORIZATION_WEBHOOK_CACHE_AUTHORIZED_TTL")]
    authorization_webhook_cache_authorized_ttl: Duration,
    /// How long an access review that did not allow counts
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration, env = "VAS_AUTHORIZATION_WEBHOOK_CACHE_UNAUTHORIZED_TTL")]
    authorization_webhook_cache_unauthorized_ttl: Duration,
    /// Service that leads here
    #[arg(
        long,
        value_name = "NAME",
        default_value = "vas-metrics-server",
        env = "VAS_SERVICE_NAME"
    )]
    service_name: String,
    /// Namespace of that Service and of the Secret. Default: POD_NAMESPACE, else the kubeconfig's namespace
    #[arg(long, value_name = "NAMESPACE", env = "VAS_SERVICE_NAMESPACE")]
    service_namespace: Option<String>,
}

/// A file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}")]
struct ReadError {
    path: PathBuf,
    source: std::io::Error,
}

type BoxError = Box<dyn std::error::Error>;

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        let prepared = self.log.init().map_err(BoxError::from).and_then(|()| {
            let client = self.prometheus.client()?;
            let certificate = self.serving.certificate()?;
            Ok((client, certificate))
        });
        let (prometheus, certificate) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return fail(&*error, EXIT_INVALID),
        };
        let runtime = match tokio::runtime::Runtime::new() {
            Ok(runtime) => runtime,
            Err(error) => return fail(&error, 1),
        };
        match runtime.block_on(self.serve(prometheus, certificate)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&*error, 1),
        }
    }

    async fn serve(&self, prometheus: prometheus::Client, certificate: Certificate) -> Result<(), BoxError> {
        let stop = shutdown::on_signal()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let client = self.kube.client().await?;
        let own_namespace = client.default_namespace().to_owned();
        let election: Option<LeaderConfig> =
            self.leader_election
                .config(METRICS_SERVER_LEASE, &own_namespace, AfterLoss::StandBy, &*clock)?;
        let service_namespace = self
            .serving
            .service_namespace
            .as_deref()
            .or_else(|| self.leader_election.pod_namespace())
            .unwrap_or(&own_namespace);
        let settings = Settings {
            namespace: self.watch_namespace.clone(),
            prometheus: BTreeMap::from([(DEFAULT_SERVER.to_owned(), prometheus)]),
            poll_interval: self.prometheus.prometheus_poll_interval,
            labels: Labels {
                namespace: self.prometheus.namespace_label.clone(),
                pod: self.prometheus.pod_label.clone(),
            },
            secure_address: SocketAddr::new(self.serving.bind_address, self.serving.secure_port),
            metrics_address: self.serving.metrics_bind_address,
            service: ServiceName {
                name: self.serving.service_name.clone(),
                namespace: service_namespace.to_owned(),
            },
            certificate,
            review_ttl: CacheTtl {
                authorized: self.serving.authorization_webhook_cache_authorized_ttl,
                unauthorized: self.serving.authorization_webhook_cache_unauthorized_ttl,
            },
            election,
        };
        Ok(metrics_server::run(client, settings, clock, stop).await?)
    }
}

impl PrometheusArgs {
    fn client(&self) -> Result<prometheus::Client, prometheus::BuildError> {
        let limits = prometheus::Limits {
            timeout: self.prometheus_timeout,
            response_size: self.prometheus_max_response_size,
        };
        prometheus::Client::new(&self.prometheus_url, limits)
    }
}

impl ServingArgs {
    fn certificate(&self) -> Result<Certificate, ReadError> {
        match (&self.tls_cert_file, &self.tls_private_key_file) {
            (Some(chain), Some(key)) => Ok(Certificate::Given {
                chain: read(chain)?,
                key: read(key)?,
            }),
            _ => Ok(Certificate::Shared),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    std::fs::read(path).map_err(|source| ReadError {
        path: path.to_owned(),
        source,
    })
}

fn fail(error: &dyn std::error::Error, code: u8) -> ExitCode {
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(std::io::stderr(), "vas metrics-server: {error}");
    ExitCode::from(code)
}
