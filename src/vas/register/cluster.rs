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
    Owner, Registration, available,
    change::{Backend, Registering},
    is_answer_of_vas,
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

    /// Refuses a Service without the port that APIServices are to lead to. Refuses too, where `ready` is set, if
    /// there is no Service, or no pod behind it is ready.
    pub(super) async fn check(&self, to: &Backend, ready: bool) -> Result<(), RegisterError> {
        let (namespace, name) = (to.namespace.clone(), to.name.clone());
        let services: Api<Service> = Api::namespaced(self.client.clone(), &namespace);
        let Some(service) = bounded(LIMIT, services.get_opt(&name)).await? else {
            if ready {
                return Err(RegisterError::NoService { namespace, name });
            }
            return Ok(());
        };
        let spec = service.spec.unwrap_or_default();
        // A name outside of the cluster: nobody counts its endpoints, and it needs no ports.
        if spec.type_.as_deref() == Some("ExternalName") {
            return Ok(());
        }
        let ports: Vec<i32> = spec.ports.iter().flatten().map(|port| port.port).collect();
        if !ports.contains(&to.port.into()) {
            return Err(RegisterError::NoPort {
                namespace,
                name,
                port: to.port,
                ports,
            });
        }
        if !ready {
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

    /// Waits until the API server reaches the metrics server through the APIService.
    pub(super) async fn available(
        &self,
        name: &'static str,
        to: &Backend,
        timeout: Duration,
    ) -> Result<(), RegisterError> {
        let mut why = "it was not looked at".to_owned();
        let reached = tokio::time::timeout(timeout, async {
            while let Some(unreached) = self.unreached(name, to).await? {
                why = unreached;
                tokio::time::sleep(INTERVAL).await;
            }
            Ok(())
        })
        .await;
        reached.unwrap_or(Err(RegisterError::Unavailable {
            name,
            after: timeout,
            why,
        }))
    }

    /// Why the API server does not reach the metrics server through the APIService; `None` if it does.
    ///
    /// The condition Available does not tell that alone. It says nothing of which server was reached, and after
    /// a take-over it is that of the other server until the API server has looked again. So the API is asked
    /// too, and the answer has to be that of vas.
    async fn unreached(&self, name: &str, to: &Backend) -> Result<Option<String>, ReadError> {
        let live = match self.api_service(name).await {
            Err(why) if why.is_refusal() => return Err(why),
            Err(why) => return Ok(Some(why.to_string())),
            Ok(live) => live,
        };
        match Registration::read(live.as_ref(), &to.namespace, &to.name).owner {
            Owner::Ours | Owner::Unknown => {}
            Owner::Absent => return Ok(Some("it was deleted".to_owned())),
            Owner::Foreign(owner) => return Ok(Some(format!("it leads to {owner} now"))),
        }
        let Some(condition) = live.as_ref().and_then(available) else {
            return Ok(Some("its condition Available is not set".to_owned()));
        };
        if condition.status != "True" {
            return Ok(Some(format!(
                "{}: {}",
                condition.reason.as_deref().unwrap_or_default(),
                condition.message.as_deref().unwrap_or_default()
            )));
        }
        let (version, group) = name.split_once('.').unwrap_or((name, ""));
        let version = format!("{group}/{version}");
        let discovered = bounded(LIMIT, self.client.list_api_group_resources(&version)).await;
        Ok(match discovered {
            Ok(list) if is_answer_of_vas(&list) => None,
            Ok(_) => Some("another server answers".to_owned()),
            Err(why) => Some(why.to_string()),
        })
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
