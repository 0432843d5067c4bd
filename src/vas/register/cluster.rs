//! What `vas register` and `vas unregister` read and write in a cluster.

use std::time::Duration;

use k8s_openapi::{
    api::{autoscaling::v2::HorizontalPodAutoscaler, core::v1::Service, discovery::v1::EndpointSlice},
    kube_aggregator::pkg::apis::apiregistration::v1::APIService,
};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions},
};

use super::RegisterError;
use vas_cluster::read::{ReadError, bounded};
use vas_core::metrics::registration::{
    available,
    change::{Backend, Registering},
};

/// Longest wait for one answer.
const LIMIT: Duration = Duration::from_secs(10);
/// HPAs in one answer: in a large cluster, all at once would be many megabytes.
const PAGE: u32 = 500;
/// How often an APIService is looked at until it is available.
const INTERVAL: Duration = Duration::from_millis(500);

/// A cluster, seen with an administrator's rights.
pub(super) struct Cluster {
    client: Client,
    api_services: Api<APIService>,
}

impl Cluster {
    pub(super) fn new(client: Client) -> Self {
        Self {
            api_services: Api::all(client.clone()),
            client,
        }
    }

    /// The APIService of that name, if there is one.
    pub(super) async fn api_service(&self, name: &str) -> Result<Option<APIService>, ReadError> {
        bounded(LIMIT, self.api_services.get_opt(name)).await
    }

    /// Makes the change. It is refused where somebody else wrote the APIService since it was read.
    pub(super) async fn write(&self, name: &str, change: &Registering) -> Result<(), ReadError> {
        match change {
            Registering::Create(object) => {
                let object = serde_json::from_value(object.clone())
                    .map_err(|error| ReadError::from(kube::Error::SerdeError(error)))?;
                bounded(LIMIT, self.api_services.create(&PostParams::default(), &object)).await?;
            }
            Registering::Keep(patch) | Registering::TakeOver { patch, .. } => {
                let params = PatchParams::default();
                bounded(
                    LIMIT,
                    self.api_services.patch(name, &params, &Patch::Merge(patch)),
                )
                .await?;
            }
        }
        Ok(())
    }

    /// Deletes exactly the APIService that was read.
    pub(super) async fn delete(&self, name: &str, read: &APIService) -> Result<(), ReadError> {
        let params = DeleteParams::default().preconditions(Preconditions {
            uid: read.metadata.uid.clone(),
            resource_version: read.metadata.resource_version.clone(),
        });
        bounded(LIMIT, self.api_services.delete(name, &params)).await?;
        Ok(())
    }

    /// Refuses where no pod behind the Service is ready.
    pub(super) async fn ready(&self, to: &Backend) -> Result<(), RegisterError> {
        let (namespace, name) = (to.namespace.clone(), to.name.clone());
        let services: Api<Service> = Api::namespaced(self.client.clone(), &namespace);
        let Some(service) = bounded(LIMIT, services.get_opt(&name)).await? else {
            return Err(RegisterError::NoService { namespace, name });
        };
        // A name outside of the cluster: nobody counts its endpoints.
        if service.spec.and_then(|spec| spec.type_).as_deref() == Some("ExternalName") {
            return Ok(());
        }
        let slices: Api<EndpointSlice> = Api::namespaced(self.client.clone(), &namespace);
        let of_it = ListParams::default().labels(&format!("kubernetes.io/service-name={name}"));
        let slices = bounded(LIMIT, slices.list(&of_it)).await?;
        let mut endpoints = slices
            .items
            .iter()
            .flat_map(|slice| slice.endpoints.iter().flatten());
        let is_ready = endpoints.any(|endpoint| {
            let conditions = endpoint.conditions.as_ref();
            // Unknown counts as ready, as the field says.
            conditions.and_then(|conditions| conditions.ready) != Some(false)
        });
        if is_ready {
            Ok(())
        } else {
            Err(RegisterError::NotReady { namespace, name })
        }
    }

    /// Waits until the API server reaches the server behind the APIService.
    pub(super) async fn available(&self, name: &'static str, timeout: Duration) -> Result<(), RegisterError> {
        let mut why = "its condition Available is not set".to_owned();
        let asked = tokio::time::timeout(timeout, async {
            loop {
                let live = self.api_service(name).await?;
                if let Some(condition) = live.as_ref().and_then(available) {
                    if condition.status == "True" {
                        return Ok(());
                    }
                    why = format!(
                        "{}: {}",
                        condition.reason.as_deref().unwrap_or_default(),
                        condition.message.as_deref().unwrap_or_default()
                    );
                }
                tokio::time::sleep(INTERVAL).await;
            }
        })
        .await;
        asked.unwrap_or(Err(RegisterError::Unavailable {
            name,
            after: timeout,
            why,
        }))
    }

    /// Shows every HPA of the cluster.
    pub(super) async fn each_hpa(
        &self,
        mut see: impl FnMut(&HorizontalPodAutoscaler),
    ) -> Result<(), ReadError> {
        let hpas: Api<HorizontalPodAutoscaler> = Api::all(self.client.clone());
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let listed = bounded(LIMIT, hpas.list(&page)).await?;
            listed.items.iter().for_each(&mut see);
            match listed.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => return Ok(()),
            }
        }
    }
}
