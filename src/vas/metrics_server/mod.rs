//! `vas metrics-server`: serves metrics from Prometheus to HPAs.

mod fallback_args;
mod limit_args;
mod prometheus_args;
mod serving_args;

use std::{net::SocketAddr, sync::Arc};

use fallback_args::FallbackArgs;
use limit_args::LimitArgs;
use prometheus_args::PrometheusArgs;
use serving_args::ServingArgs;

use crate::{
    exit::{Code, Ended, Failure},
    kube_config::KubeConfigArgs,
    leader_election::LeaderElectionArgs,
    log::LogArgs,
    runtime,
    watch_namespace::WatchNamespaceArgs,
};
use vas_api::METRICS_SERVER_LEASE;
use vas_cluster::{
    clock::{Clock, SystemClock},
    leader::{AfterLoss, LeaderConfig},
    shutdown,
    telemetry::api_requests::ApiRequests,
};
use vas_metrics_server::{
    self, CacheTtl, Certificate, Configuration, FallbackSettings, ServiceName, Settings,
};

/// Serve request rates, queue depths and queue ages from Prometheus to the HPA
///
/// Answers custom.metrics.k8s.io and external.metrics.k8s.io behind the Kubernetes aggregation layer. Every
/// metric of every VoiceAssistScaling is read from Prometheus every few seconds, with one query for all that
/// differ only in namespace or workload, and answered from memory. When Prometheus is away the last values
/// are served until they are older than the metric's maxAge; then the HPA is told why there is no value, and
/// holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example, outside a cluster:
  vas metrics-server --prometheus-url=http://localhost:9090 --kubeconfig=$HOME/.kube/config --service-namespace=vas-system

The Service of manifests/install and the APIServices of vas register lead the API server here.")]
pub(super) struct Args {
    #[command(flatten)]
    kube: KubeConfigArgs,
    #[command(flatten)]
    watch: WatchNamespaceArgs,
    #[command(flatten)]
    prometheus: PrometheusArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    serving: ServingArgs,
    #[command(flatten)]
    fallback: FallbackArgs,
    #[command(flatten)]
    leader_election: LeaderElectionArgs,
    #[command(flatten)]
    log: LogArgs,
}

type BoxError = Box<dyn std::error::Error>;

impl Args {
    pub(super) fn run(&self) -> Ended {
        self.log.init().map_err(Failure::invalid)?;
        let prometheus = self.prometheus.configuration().map_err(Failure::invalid)?;
        let overruled = self.prometheus.overruled();
        if !overruled.is_empty() {
            tracing::warn!(
                flags = overruled.join(", "),
                "ignored, since --config (VAS_CONFIG) says where values are read from; take them or their VAS_ variables away"
            );
        }
        let certificate = self.serving.certificate().map_err(Failure::invalid)?;
        let fallback = self
            .fallback
            .settings(self.serving.external_metrics)
            .map_err(Failure::invalid)?;
        let served = runtime::of_all_processors()?.block_on(self.serve(prometheus, certificate, fallback));
        served.map_err(Failure::failed)?;
        Ok(Code::Success)
    }

    async fn serve(
        &self,
        prometheus: Configuration,
        certificate: Certificate,
        fallback: Option<FallbackSettings>,
    ) -> Result<(), BoxError> {
        let stop = shutdown::on_signal()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let api_requests = ApiRequests::default();
        let client = self.kube.counted(&api_requests).await?;
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
            scope: self.watch.scope(),
            prometheus,
            secure_address: SocketAddr::new(self.serving.bind_address, self.serving.secure_port),
            metrics_address: self.serving.metrics_bind_address,
            service: ServiceName {
                name: self.serving.service_name.clone(),
                namespace: service_namespace.to_owned(),
            },
            certificate,
            external_metrics: self.serving.external_metrics,
            fallback,
            shape_limits: self.limits.shapes(),
            review_ttl: CacheTtl {
                authorized: self.serving.authorization_webhook_cache_authorized_ttl,
                unauthorized: self.serving.authorization_webhook_cache_unauthorized_ttl,
            },
            token_ttl: self.serving.authentication_token_webhook_cache_ttl,
            election,
            api_requests,
        };
        Ok(vas_metrics_server::run(client, settings, clock, stop).await?)
    }
}
