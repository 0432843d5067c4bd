//! `--watch`: which workload is watched while load is sent to it.

use super::subject_args;
use crate::kube_config::{KubeConfigArgs, KubeConfigError, namespace_of};
use kube::Client;
use vas_loadtest::{autoscaling::watching::Watching, cluster::error::ClusterError};

/// The workload to watch.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(super) struct WatchArgs {
    /// Watch the HPA, pods and metrics of this VoiceAssistScaling during the run: the report shows replicas
    /// and scale-ups, and a trend threshold is checked for the pods' memory too
    #[arg(long, value_name = "NAME", group = "in_a_cluster")]
    watch: Option<String>,
    /// Namespace of the VoiceAssistScaling, or of the Job of --in-cluster. Default: that of the kubeconfig's context
    #[arg(short, long, value_name = "NAMESPACE", requires = "in_a_cluster")]
    namespace: Option<String>,
    /// The workload; may be left out where there is only one
    #[arg(short, long, value_name = "NAME", requires = "watch")]
    workload: Option<String>,
    /// Test a namespace or environment that is production
    #[arg(long, requires = "watch")]
    allow_production: bool,
    #[command(flatten)]
    kube: KubeConfigArgs,
}

/// Reasons why the workload cannot be watched.
#[derive(Debug, thiserror::Error)]
pub(super) enum WatchError {
    /// The API server cannot be reached.
    #[error(transparent)]
    Client(#[from] KubeConfigError),
    /// The cluster refused a request, or the workload cannot be tested.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl WatchError {
    /// Whether the workload does not exist or must not be tested.
    pub(super) fn is_precondition(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_precondition())
    }
}

impl WatchArgs {
    /// The cluster: a client for it, and the namespace in which something is done there.
    ///
    /// # Errors
    /// When the API server cannot be reached.
    pub(super) async fn cluster(&self) -> Result<(Client, String), KubeConfigError> {
        let client = self.kube.client().await?;
        let namespace = namespace_of(self.namespace.as_deref(), &client);
        Ok((client, namespace))
    }

    /// Begins to watch, if `--watch` is given.
    ///
    /// # Errors
    /// When the workload does not exist, or must not be tested.
    pub(super) async fn start(&self) -> Result<Option<Watching>, WatchError> {
        let Some(name) = &self.watch else {
            return Ok(None);
        };
        let resource = subject_args::resource(&self.kube, self.namespace.as_deref(), name).await?;
        let watching = Watching::start(&resource, self.workload.as_deref(), self.allow_production);
        Ok(Some(watching.await?))
    }
}
