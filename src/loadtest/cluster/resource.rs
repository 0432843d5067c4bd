//! A VoiceAssistScaling and one of its workloads, as they are found.

use std::sync::Arc;

use k8s_openapi::api::{
    autoscaling::{v1::Scale, v2::HorizontalPodAutoscaler},
    core::v1::{Namespace, Pod},
};
use kube::{
    Api, Client,
    api::ListParams,
    core::{ApiResource, DynamicObject},
};
use serde_json::Value;

use super::{
    error::{ClusterError, answer},
    hold_patch,
    production::production,
};
use vas_api::v1alpha1::{ScaleTargetRef, VoiceAssistScaling};
use vas_cluster::{
    clock::SystemClock,
    discovery::Discovery,
    kinds::Kinds,
    read::Reader,
    request::{self, RequestError},
    scale_target,
    server_clock::ServerClock,
};
use vas_core::{hpa::metric_reads::NoPath, spec::model::child_name};

/// A VoiceAssistScaling on a cluster.
#[derive(Clone)]
pub struct Resource {
    /// The client of the cluster that the resource is in.
    pub client: Client,
    /// The namespace of the resource.
    pub namespace: String,
    /// The name of the resource.
    pub name: String,
}

/// A workload to be tested, as it was found.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its name in the resource.
    pub workload: String,
    /// Its scale target.
    pub target: ScaleTargetRef,
    /// Replicas that the target asks for.
    pub replicas: i32,
    /// Fewest and most replicas of its HPA.
    pub bounds: (u32, u32),
    /// How its target is served.
    pub kind: ApiResource,
    /// Name of its HPA.
    pub hpa: String,
    /// Selector of its pods.
    pub selector: String,
}

impl std::fmt::Debug for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VoiceAssistScaling {}/{}", self.namespace, self.name)
    }
}

impl Resource {
    /// The resource of that name.
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Reads a workload, and refuses it where it cannot be tested: held by another test, or in production.
    ///
    /// # Errors
    /// When it cannot be read, or is refused.
    pub async fn subject(
        &self,
        workload: Option<&str>,
        allow_production: bool,
    ) -> Result<Subject, ClusterError> {
        let resource = self.read().await?;
        hold_patch::free(&resource, ServerClock::of(&self.client).await.now())?;
        if !allow_production {
            self.refuse_production(&resource).await?;
        }
        let workload = hold_patch::workload(&resource, workload)?;
        let name = workload.get("name").and_then(Value::as_str).unwrap_or_default();
        let target = workload.get("scaleTargetRef").cloned().unwrap_or_default();
        let target: ScaleTargetRef = serde_json::from_value(target).map_err(|error| {
            ClusterError::Precondition(format!("spec.workloads {name:?} scaleTargetRef: {error}"))
        })?;
        let kind = self.kind(&target).await?;
        let scale = self.scale(&kind, &target).await?;
        let hpa = child_name(&self.name, name);
        let bounds = bounds(&self.hpa(&hpa).await?);
        let selector = scale.status.as_ref().and_then(|status| status.selector.clone());
        Ok(Subject {
            workload: name.to_owned(),
            replicas: scale.spec.and_then(|spec| spec.replicas).unwrap_or(0),
            bounds,
            kind,
            hpa,
            selector: selector.unwrap_or_default(),
            target,
        })
    }

    /// Ready pods of a workload.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn ready(&self, subject: &Subject) -> Result<u32, ClusterError> {
        Ok(self.pods(subject).await?.1)
    }

    async fn refuse_production(&self, resource: &Value) -> Result<(), ClusterError> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let read = format!("read namespace {}", self.namespace);
        let namespace = answer(&read, api.get(&self.namespace)).await?;
        let labels = namespace.metadata.labels.unwrap_or_default();
        let environment = resource.pointer("/spec/environment").and_then(Value::as_str);
        match production(&labels, environment) {
            None => Ok(()),
            Some(why) => Err(ClusterError::Precondition(format!(
                "{} is production ({why}), and such a test takes it to its limit; give --allow-production if you mean it",
                self.namespace
            ))),
        }
    }

    pub(crate) async fn read(&self) -> Result<Value, ClusterError> {
        let api = self.resources();
        let what = format!("read VoiceAssistScaling {} in {}", self.name, self.namespace);
        let object = answer(&what, api.get(&self.name)).await?;
        Ok(serde_json::to_value(object).map_err(|error| RequestError::unreadable(what, error))?)
    }

    /// Reads a path of the API server, such as one of an aggregated API. `what` is for the error.
    ///
    /// # Errors
    /// When it is refused, or not answered in time.
    pub(crate) async fn get(&self, what: &str, path: &str) -> Result<Value, ClusterError> {
        let read = self.reader().get(path).await;
        read.map_err(|error| ClusterError::read(what, error))
    }

    /// Discovery that has asked nothing yet.
    pub(crate) fn discovery(&self) -> Discovery {
        Discovery::new(self.reader())
    }

    fn reader(&self) -> Reader {
        Reader::new(self.client.clone(), request::TIME_LIMIT)
    }

    /// Untyped, so that fields this version does not know stay.
    pub(crate) fn resources(&self) -> Api<DynamicObject> {
        let kind = ApiResource::erase::<VoiceAssistScaling>(&());
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind)
    }

    pub(crate) async fn kind(&self, target: &ScaleTargetRef) -> Result<ApiResource, ClusterError> {
        let what = format!("find out how {} of {} is served", target.kind, target.api_version);
        let kinds = Kinds::new(self.reader(), Arc::new(SystemClock::new()));
        let served = kinds.find(&target.api_version, &target.kind, |_| true).await;
        let served = served.map_err(|error| ClusterError::read(&what, error))?;
        let served = served.ok_or_else(|| ClusterError::NoPath {
            what,
            source: NoPath::UnknownKind {
                api_version: target.api_version.clone(),
                kind: target.kind.clone(),
            },
        })?;
        Ok(served.resource(&target.api_version))
    }

    pub(crate) async fn scale(
        &self,
        kind: &ApiResource,
        target: &ScaleTargetRef,
    ) -> Result<Scale, ClusterError> {
        let what = format!("read the scale of {} {}", target.kind, target.name);
        scale_target::scale(&self.reader(), kind, &self.namespace, &target.name)
            .await
            .map_err(|error| ClusterError::read(&what, error))
    }

    /// The target itself.
    pub(crate) async fn target(
        &self,
        kind: &ApiResource,
        target: &ScaleTargetRef,
    ) -> Result<Value, ClusterError> {
        scale_target::object(&self.reader(), kind, &self.namespace, &target.name)
            .await
            .map_err(|error| ClusterError::read("read the scale target", error))
    }

    /// The HPA of that name, beside the resource.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn hpa(&self, name: &str) -> Result<HorizontalPodAutoscaler, ClusterError> {
        let api: Api<HorizontalPodAutoscaler> = Api::namespaced(self.client.clone(), &self.namespace);
        answer(&format!("read HorizontalPodAutoscaler {name}"), api.get(name)).await
    }

    /// Pods of a workload that have not ended, and those of them that are Ready. Pods on their way out are among the
    /// former: they may still answer.
    pub(crate) async fn pods(&self, subject: &Subject) -> Result<(u32, u32), ClusterError> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let params = ListParams::default().labels(&subject.selector);
        let what = format!("list the pods of {} {}", subject.target.kind, subject.target.name);
        let pods = answer(&what, api.list(&params)).await?.items;
        let count =
            |of: &dyn Fn(&&Pod) -> bool| u32::try_from(pods.iter().filter(of).count()).unwrap_or(u32::MAX);
        Ok((count(&|pod| !over(pod)), count(&|pod| ready(pod))))
    }
}

fn bounds(hpa: &HorizontalPodAutoscaler) -> (u32, u32) {
    let bound = |replicas: i32| u32::try_from(replicas).unwrap_or(0);
    (
        bound(hpa.spec.min_replicas.unwrap_or(1)),
        bound(hpa.spec.max_replicas),
    )
}

/// Whether a pod has ended for good.
fn over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

pub(crate) fn ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && conditions
            .into_iter()
            .flatten()
            .any(|one| one.type_ == "Ready" && one.status == "True")
}
