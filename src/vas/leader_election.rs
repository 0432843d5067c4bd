//! The `--leader-elect*` flags of the servers, with the names that Kubernetes components use.

use std::time::Duration;

use clap::Args;

use crate::duration;
use vas_cluster::{
    clock::Clock,
    leader::{
        AfterLoss, LeaderConfig,
        tenure::{Timing, TimingError},
    },
};

/// Flags that decide which replica acts.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Leader election")]
pub(crate) struct LeaderElectionArgs {
    /// Let only the holder of a Lease act, so that several replicas can run. Without it, run one replica
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        action = clap::ArgAction::Set,
        env = "VAS_LEADER_ELECT"
    )]
    leader_elect: bool,
    /// Time after which a standby replica takes over from a leader that went silent; whole seconds
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration::parse, env = "VAS_LEADER_ELECT_LEASE_DURATION")]
    leader_elect_lease_duration: Duration,
    /// Time after which a leader that cannot renew stops writing
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration::parse, env = "VAS_LEADER_ELECT_RENEW_DEADLINE")]
    leader_elect_renew_deadline: Duration,
    /// Time between attempts to get or renew the Lease
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration::parse, env = "VAS_LEADER_ELECT_RETRY_PERIOD")]
    leader_elect_retry_period: Duration,
    /// Namespace of the Lease. Default: POD_NAMESPACE, else the kubeconfig's namespace
    #[arg(long, value_name = "NAMESPACE", env = "VAS_LEADER_ELECT_RESOURCE_NAMESPACE")]
    leader_elect_resource_namespace: Option<String>,
    /// Namespace this process runs in; set through the downward API
    #[arg(long, hide = true, env = "POD_NAMESPACE")]
    pod_namespace: Option<String>,
    /// Pod this process runs in; set through the downward API
    #[arg(long, hide = true, env = "POD_NAME")]
    pod_name: Option<String>,
}

impl LeaderElectionArgs {
    /// The leader election; `None` if it is switched off.
    ///
    /// # Errors
    /// When the durations do not fit together.
    pub(crate) fn config(
        &self,
        lease: &str,
        default_namespace: &str,
        after_loss: AfterLoss,
        clock: &dyn Clock,
    ) -> Result<Option<LeaderConfig>, TimingError> {
        if !self.leader_elect {
            return Ok(None);
        }
        let timing = Timing::new(
            self.leader_elect_lease_duration,
            self.leader_elect_renew_deadline,
            self.leader_elect_retry_period,
        )?;
        let namespace = self
            .leader_elect_resource_namespace
            .as_deref()
            .or_else(|| self.pod_namespace())
            .unwrap_or(default_namespace);
        Ok(Some(LeaderConfig {
            namespace: namespace.to_owned(),
            name: lease.to_owned(),
            identity: self.identity(clock),
            timing,
            after_loss,
        }))
    }

    /// The namespace of this process, if the downward API sets it.
    pub(crate) fn pod_namespace(&self) -> Option<&str> {
        self.pod_namespace
            .as_deref()
            .filter(|namespace| !namespace.is_empty())
    }

    /// An identity that is unique per process. It contains the time, because a restarted container has the
    /// same pod name and the same process ID.
    fn identity(&self, clock: &dyn Clock) -> String {
        let pod = self.pod_name.as_deref().filter(|name| !name.is_empty());
        format!(
            "{}_{}-{:x}",
            pod.unwrap_or("vas"),
            std::process::id(),
            clock.now().as_nanosecond()
        )
    }
}
