//! A resource of a cluster, and the HPA that is live for one of its workloads.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::{
    Api,
    api::{ApiResource, DynamicObject},
};
use serde_json::Value;

use crate::{
    exit::{Code, CommandError},
    kube_config::{KubeConfigArgs, KubeConfigError, namespace_of},
};
use vas_api::v1alpha1::VoiceAssistScaling;
use vas_cluster::request::{RequestError, answer};
use vas_core::spec::model::child_name;

/// Which resource is read.
#[derive(Debug, clap::Args)]
pub(super) struct LiveArgs {
    /// Name of a VoiceAssistScaling on the cluster: its live HPA is the policy "current", what it asks for is "resource"
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Namespace of the resource. Default: that of the context
    #[arg(short, long, value_name = "NAMESPACE")]
    pub(super) namespace: Option<String>,
    #[command(flatten)]
    kube: KubeConfigArgs,
}

/// What the cluster has.
#[derive(Debug)]
pub(super) struct Live {
    /// Kind and name, for messages.
    pub(super) shown: String,
    /// The resource as it is stored, with quantities as somebody wrote them.
    pub(super) document: Value,
    /// The same, parsed.
    pub(super) resource: VoiceAssistScaling,
    /// The HPA of the workload; `None` if the operator has written none yet.
    pub(super) hpa: Option<HorizontalPodAutoscaler>,
}

/// Reasons why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum LiveError {
    #[error(transparent)]
    Kube(#[from] KubeConfigError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("{shown} cannot be read: {source}")]
    Unreadable {
        shown: String,
        source: serde_json::Error,
    },
}

impl CommandError for LiveError {
    fn code(&self) -> Code {
        Code::Failure
    }
}

impl LiveArgs {
    /// Reads the resource, and the HPA of this workload; without one, of its only workload. `None` if no resource is
    /// named.
    ///
    /// # Errors
    /// When the cluster cannot be asked, or the resource does not exist.
    pub(super) async fn read(&self, workload: Option<&str>) -> Result<Option<Live>, LiveError> {
        match &self.name {
            Some(name) => self.live(name, workload).await.map(Some),
            None => Ok(None),
        }
    }

    /// Flags with which kubectl reaches the same cluster.
    pub(super) fn kubectl(&self) -> Vec<String> {
        let flags = self.kube.flags().into_iter();
        flags.map(|flag| flag.to_string_lossy().into_owned()).collect()
    }

    async fn live(&self, name: &str, workload: Option<&str>) -> Result<Live, LiveError> {
        let client = self.kube.client().await?;
        let namespace = namespace_of(self.namespace.as_deref(), &client);
        let kind = ApiResource::erase::<VoiceAssistScaling>(&());
        let resources: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &kind);
        let shown = format!("VoiceAssistScaling {name} in {namespace}");
        let document = answer(&format!("read {shown}"), resources.get(name)).await?;
        let unreadable = |source| LiveError::Unreadable {
            shown: shown.clone(),
            source,
        };
        let document = serde_json::to_value(document).map_err(unreadable)?;
        let resource: VoiceAssistScaling = serde_json::from_value(document.clone()).map_err(unreadable)?;
        let workload = match (workload, resource.spec.workloads.as_slice()) {
            (Some(workload), _) => Some(workload),
            (None, [only]) => Some(only.name.as_str()),
            // Which one is meant is asked where the resource is read.
            (None, _) => None,
        };
        let hpa = match workload {
            Some(workload) => {
                let hpas: Api<HorizontalPodAutoscaler> = Api::namespaced(client, &namespace);
                let name = child_name(name, workload);
                let what = format!("read HorizontalPodAutoscaler {name} in {namespace}");
                answer(&what, hpas.get_opt(&name)).await?
            }
            None => None,
        };
        Ok(Live {
            shown,
            document,
            resource,
            hpa,
        })
    }
}
