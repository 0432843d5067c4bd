//! Flags of tests on a cluster that choose the workload.

use crate::kube_config::{KubeConfigArgs, KubeConfigError, namespace_of};
use vas_loadtest::cluster::{
    error::ClusterError,
    resource::{Resource, Subject},
};

/// A workload of a VoiceAssistScaling.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct SubjectArgs {
    /// Name of the VoiceAssistScaling
    #[arg(value_name = "NAME")]
    name: String,
    /// Namespace of the VoiceAssistScaling. Default: that of the kubeconfig's context
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// The workload; may be left out where there is only one
    #[arg(short, long, value_name = "NAME")]
    workload: Option<String>,
    /// Test a namespace or environment that is production
    #[arg(long)]
    allow_production: bool,
}

/// The named resource, with a client for it.
///
/// # Errors
/// When the API server cannot be reached.
pub(super) async fn resource(
    kube: &KubeConfigArgs,
    namespace: Option<&str>,
    name: &str,
) -> Result<Resource, KubeConfigError> {
    let client = kube.client().await?;
    let namespace = namespace_of(namespace, &client);
    Ok(Resource::new(client, &namespace, name))
}

impl SubjectArgs {
    /// The chosen resource; see [`resource`].
    ///
    /// # Errors
    /// When the API server cannot be reached.
    pub(super) async fn resource(&self, kube: &KubeConfigArgs) -> Result<Resource, KubeConfigError> {
        resource(kube, self.namespace.as_deref(), &self.name).await
    }

    /// Reads the chosen workload.
    ///
    /// # Errors
    /// When the workload does not exist, or must not be tested.
    pub(super) async fn subject(&self, resource: &Resource) -> Result<Subject, ClusterError> {
        resource
            .subject(self.workload.as_deref(), self.allow_production)
            .await
    }
}
