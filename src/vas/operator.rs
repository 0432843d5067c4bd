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
};
use vas_operator::{self, OperatorError, Settings};

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
        let client = self.kube.client().await?;
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
