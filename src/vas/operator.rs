//! `vas operator`: runs the operator.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::{
    duration,
    exit::{Code, CommandError, Ended, Failure},
    kube_config::{KubeConfigArgs, KubeConfigError},
    leader_election::LeaderElectionArgs,
    log::LogArgs,
    runtime,
    watch_namespace::WatchNamespaceArgs,
};
use vas_api::OPERATOR_LEASE;
use vas_cluster::{
    clock::{Clock, SystemClock},
    leader::{AfterLoss, tenure::TimingError},
    shutdown,
    telemetry::api_requests::ApiRequests,
};
use vas_core::monitoring::exposition::Detail;
use vas_operator::{self, MetricsLimits, OperatorError, Settings};

/// Run the operator: it keeps the HorizontalPodAutoscalers, VerticalPodAutoscalers, PodDisruptionBudgets,
/// LimitRanges and ResourceQuotas of every VoiceAssistScaling as they should be
///
/// Several replicas can run: one leads and writes, the others stand by with warm caches. Every flag can
/// also be set in the environment, as VAS_ and its name in capitals.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vas operator --leader-elect=false                     one replica, from a workstation's kubeconfig
  vas operator --watch-namespace shop,orders            these namespaces alone
  vas operator --manage-limits=false                    leave LimitRange and ResourceQuota to others")]
pub(super) struct Args {
    #[command(flatten)]
    kube: KubeConfigArgs,
    #[command(flatten)]
    leader_election: LeaderElectionArgs,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten, next_help_heading = "Operator")]
    watch: WatchNamespaceArgs,
    /// Write LimitRanges and ResourceQuotas; they bind the whole namespace. Without it, a resource with
    /// `limits` says so in its status
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        action = clap::ArgAction::Set,
        env = "VAS_MANAGE_LIMITS",
        help_heading = "Operator"
    )]
    manage_limits: bool,
    /// Time after which an unchanged resource is reconciled again, plus or minus 10 %
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = duration::parse, env = "VAS_RESYNC_PERIOD", help_heading = "Operator")]
    resync_period: Duration,
    /// How many resources are reconciled at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..), env = "VAS_CONCURRENT_RECONCILES", help_heading = "Operator")]
    concurrent_reconciles: u16,
    /// Address of /metrics, /healthz and /readyz, plain HTTP
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "[::]:8080",
        env = "VAS_METRICS_BIND_ADDRESS",
        help_heading = "Operator"
    )]
    metrics_bind_address: SocketAddr,
    /// How much /metrics shows of resources: the resources and what is not fine, their workloads too, or the
    /// metrics of the workloads too
    #[arg(
        long,
        value_name = "DETAIL",
        value_enum,
        default_value_t = MetricsDetail::Full,
        env = "VAS_METRICS_DETAIL",
        help_heading = "Operator"
    )]
    metrics_detail: MetricsDetail,
    /// Most series of resources at /metrics. Where there are more, the detail is less, and
    /// the log and a metric say so
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 300_000,
        env = "VAS_METRICS_MAX_SERIES",
        help_heading = "Operator"
    )]
    metrics_max_series: usize,
}

/// `--metrics-detail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum MetricsDetail {
    Resource,
    Workload,
    Full,
}

impl From<MetricsDetail> for Detail {
    fn from(detail: MetricsDetail) -> Self {
        match detail {
            MetricsDetail::Resource => Self::Resource,
            MetricsDetail::Workload => Self::Workload,
            MetricsDetail::Full => Self::Full,
        }
    }
}

/// Reasons why the operator ended.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    KubeConfig(#[from] KubeConfigError),
    #[error("leader election: {0}")]
    Timing(#[from] TimingError),
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error("cannot start: {0}")]
    Start(#[from] std::io::Error),
}

impl CommandError for RunError {
    fn code(&self) -> Code {
        match self {
            Self::Timing(_) => Code::Invalid,
            Self::KubeConfig(_) | Self::Operator(_) | Self::Start(_) => Code::Failure,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        self.log.init().map_err(Failure::invalid)?;
        let operated = runtime::of_all_processors()?.block_on(self.operate());
        operated.map_err(|error| {
            tracing::error!(%error, "the operator ended");
            Failure::logged(error.code())
        })?;
        Ok(Code::Success)
    }

    async fn operate(&self) -> Result<(), RunError> {
        let stop = shutdown::on_signal()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let api_requests = ApiRequests::default();
        let client = self.kube.counted(&api_requests).await?;
        let leader = self.leader_election.config(
            OPERATOR_LEASE,
            client.default_namespace(),
            AfterLoss::Stop,
            clock.as_ref(),
        )?;
        let scope = self.watch.scope();
        let settings = Settings {
            scope: scope.clone(),
            leader,
            metrics_bind_address: self.metrics_bind_address,
            manage_limits: self.manage_limits,
            resync_period: self.resync_period,
            concurrent_reconciles: self.concurrent_reconciles,
            metrics: MetricsLimits {
                detail: self.metrics_detail.into(),
                max_series: self.metrics_max_series,
            },
            api_requests,
        };
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            %scope,
            "starting"
        );
        vas_operator::run(client, settings, clock, stop).await?;
        tracing::info!("stopped");
        Ok(())
    }
}
