//! Holding the replicas of a workload on a cluster, and giving them back.
//!
//! Every write is refused by the API server if somebody else wrote since the read that it follows from: two tests can
//! not begin at once, and giving back undoes nobody's change.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::api::{
    autoscaling::{v1::Scale, v2::HorizontalPodAutoscaler},
    core::v1::{Namespace, Pod},
};
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams},
    core::{ApiResource, DynamicObject, GroupVersionKind},
    discovery,
};
use serde_json::{Value, json};

use crate::{
    api::v1alpha1::{ScaleTargetRef, VoiceAssistScaling},
    core::loadtest::hold::{self, Hold, HoldError},
};

/// Field manager of what a test changes.
const FIELD_MANAGER: &str = "vas-test";
/// Longest wait for one answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// From one look at what is waited for to the next.
const POLL: Duration = Duration::from_millis(250);
/// Longest wait for the operator to suspend the HPA.
const SUSPEND_LIMIT: Duration = Duration::from_secs(60);
/// Attempts at a write that others are faster than.
const ATTEMPTS: u32 = 20;

/// Why replicas cannot be held or given back.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// See [`HoldError`].
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The API server refuses, or does not answer.
    #[error("cannot {what}: {source}")]
    Api {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: kube::Error,
    },
    /// No answer.
    #[error("cannot {what}: no answer from the API server within {} s", TIME_LIMIT.as_secs())]
    Late {
        /// What was tried.
        what: String,
    },
    /// Others write all the time.
    #[error("cannot change {0}: it changes all the time")]
    Busy(String),
    /// A precondition of the test does not hold.
    #[error("{0}")]
    Precondition(String),
    /// Somebody took the hold away while the test ran.
    #[error("the hold on {0} is gone: somebody put it back while the test ran (vas test restore?)")]
    Lost(String),
}

impl ClusterError {
    /// Whether the test was not begun because it could not be trusted.
    pub fn is_precondition(&self) -> bool {
        matches!(self, Self::Precondition(_) | Self::Hold(HoldError::Taken { .. }))
    }
}

/// A VoiceAssistScaling on a cluster.
#[derive(Clone)]
pub struct Resource {
    client: Client,
    namespace: String,
    name: String,
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
    kind: ApiResource,
    hpa: String,
    selector: String,
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
        hold::free(&resource)?;
        if !allow_production {
            self.refuse_production(&resource).await?;
        }
        let workload = hold::workload(&resource, workload)?;
        let name = workload.get("name").and_then(Value::as_str).unwrap_or_default();
        let target = workload.get("scaleTargetRef").cloned().unwrap_or_default();
        let target: ScaleTargetRef = serde_json::from_value(target).map_err(|error| {
            ClusterError::Precondition(format!("spec.workloads {name:?} scaleTargetRef: {error}"))
        })?;
        let kind = self.kind(&target).await?;
        let scale = self.scale(&kind, &target).await?;
        let hpa = format!("{}-{name}", self.name);
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

    /// Suspends the workload, with what there was written down in the same write. Then waits until its HPA follows no
    /// metric.
    ///
    /// # Errors
    /// When another test has the resource, or no operator suspends the HPA in time. Then it may have to be given back.
    pub async fn hold(&self, subject: &Subject, holder: &str, since: &str) -> Result<(), ClusterError> {
        for _ in 0..ATTEMPTS {
            let resource = self.read().await?;
            hold::free(&resource)?;
            let (environment, suspend) = hold::suspend_of(&resource, &subject.workload);
            let hold = Hold {
                holder: holder.to_owned(),
                since: since.to_owned(),
                workload: subject.workload.clone(),
                target: subject.target.clone(),
                replicas: subject.replicas,
                environment,
                suspend,
            };
            if self.write(&hold::hold_patch(&resource, &hold)).await? {
                return self.until_suspended(subject).await;
            }
        }
        Err(ClusterError::Busy(self.name.clone()))
    }

    async fn until_suspended(&self, subject: &Subject) -> Result<(), ClusterError> {
        let waited = wait(SUSPEND_LIMIT, async || {
            Ok(suspended(&self.hpa(&subject.hpa).await?))
        });
        if waited.await? {
            return Ok(());
        }
        Err(ClusterError::Precondition(format!(
            "HorizontalPodAutoscaler {} was not suspended within {} s of suspend: true in {}: is vas operator running, and is the resource Ready?",
            subject.hpa,
            SUSPEND_LIMIT.as_secs(),
            self.name
        )))
    }

    /// Asks for so many replicas, and waits until exactly so many pods are there, all of them Ready.
    ///
    /// # Errors
    /// When they are not in time.
    pub async fn scale_to(
        &self,
        subject: &Subject,
        replicas: u32,
        limit: Duration,
    ) -> Result<(), ClusterError> {
        self.set_replicas(&subject.kind, &subject.target, i64::from(replicas))
            .await?;
        let waited = wait(limit, async || {
            Ok(self.pods(subject).await? == (replicas, replicas))
        });
        if waited.await? {
            return Ok(());
        }
        let (all, ready) = self.pods(subject).await?;
        Err(ClusterError::Precondition(format!(
            "{} {} has {ready} Ready pods of {all} where {replicas} were asked for, after {} s: is there room on the nodes and in the quota?",
            subject.target.kind,
            subject.target.name,
            limit.as_secs()
        )))
    }

    /// Whether exactly so many pods are there, all of them Ready, and the hold is still there.
    ///
    /// # Errors
    /// When that cannot be read, or the hold is gone.
    pub async fn steady(&self, subject: &Subject, replicas: u32, holder: &str) -> Result<bool, ClusterError> {
        match hold::held(&self.read().await?)? {
            Some(hold) if hold.holder == holder => {}
            _ => return Err(ClusterError::Lost(self.name.clone())),
        }
        Ok(self.pods(subject).await? == (replicas, replicas))
    }

    /// Ready pods of a workload.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn ready(&self, subject: &Subject) -> Result<u32, ClusterError> {
        Ok(self.pods(subject).await?.1)
    }

    /// Puts back what a test changed, replicas first while no HPA moves them. `holder`: of this test only. What was put
    /// back; `None` where there is nothing to be.
    ///
    /// # Errors
    /// When it cannot be put back; then the annotation is still there.
    pub async fn give_back(&self, holder: Option<&str>) -> Result<Option<Hold>, ClusterError> {
        for _ in 0..ATTEMPTS {
            let resource = match self.read().await {
                Err(ClusterError::Api { source, .. }) if not_found(&source) && holder.is_some() => {
                    return Ok(None);
                }
                read => read?,
            };
            let Some(hold) = hold::held(&resource)? else {
                return Ok(None);
            };
            if holder.is_some_and(|holder| holder != hold.holder) {
                return Ok(None);
            }
            self.put_replicas_back(&hold).await?;
            if self.write(&hold::give_back_patch(&resource, &hold)).await? {
                return Ok(Some(hold));
            }
        }
        Err(ClusterError::Busy(self.name.clone()))
    }

    /// A target that is gone has nothing to be put back.
    async fn put_replicas_back(&self, hold: &Hold) -> Result<(), ClusterError> {
        let kind = self.kind(&hold.target).await?;
        match self
            .set_replicas(&kind, &hold.target, i64::from(hold.replicas))
            .await
        {
            Err(ClusterError::Api { source, .. }) if not_found(&source) => Ok(()),
            put => put,
        }
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
                "{} is production ({why}), and a capacity test takes it to its limit; give --allow-production if you mean it",
                self.namespace
            ))),
        }
    }

    async fn read(&self) -> Result<Value, ClusterError> {
        let api = self.resources();
        let what = format!("read VoiceAssistScaling {} in {}", self.name, self.namespace);
        let object = answer(&what, api.get(&self.name)).await?;
        serde_json::to_value(object).map_err(|source| ClusterError::Api {
            what,
            source: kube::Error::SerdeError(source),
        })
    }

    /// Whether the patch was taken; `false` if somebody else wrote in between.
    async fn write(&self, patch: &Value) -> Result<bool, ClusterError> {
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let api = self.resources();
        let what = format!("change VoiceAssistScaling {} in {}", self.name, self.namespace);
        match answer(&what, api.patch(&self.name, &params, &Patch::Merge(patch))).await {
            Ok(_) => Ok(true),
            Err(ClusterError::Api {
                source: kube::Error::Api(status),
                ..
            }) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Untyped, so that fields this version does not know stay.
    fn resources(&self) -> Api<DynamicObject> {
        let kind = ApiResource::erase::<VoiceAssistScaling>(&());
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind)
    }

    async fn kind(&self, target: &ScaleTargetRef) -> Result<ApiResource, ClusterError> {
        let (group, version) = target
            .api_version
            .split_once('/')
            .unwrap_or(("", &target.api_version));
        let kind = GroupVersionKind::gvk(group, version, &target.kind);
        let what = format!("find out how {} of {} is served", target.kind, target.api_version);
        let found = answer(&what, discovery::oneshot::pinned_kind(&self.client, &kind)).await?;
        Ok(found.0)
    }

    async fn scale(&self, kind: &ApiResource, target: &ScaleTargetRef) -> Result<Scale, ClusterError> {
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &self.namespace, kind);
        let what = format!("read the scale of {} {}", target.kind, target.name);
        answer(&what, api.get_scale(&target.name)).await
    }

    async fn set_replicas(
        &self,
        kind: &ApiResource,
        target: &ScaleTargetRef,
        replicas: i64,
    ) -> Result<(), ClusterError> {
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &self.namespace, kind);
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = json!({"spec": {"replicas": replicas}});
        let what = format!("scale {} {} to {replicas}", target.kind, target.name);
        answer(
            &what,
            api.patch_scale(&target.name, &params, &Patch::Merge(&patch)),
        )
        .await?;
        Ok(())
    }

    async fn hpa(&self, name: &str) -> Result<HorizontalPodAutoscaler, ClusterError> {
        let api: Api<HorizontalPodAutoscaler> = Api::namespaced(self.client.clone(), &self.namespace);
        answer(&format!("read HorizontalPodAutoscaler {name}"), api.get(name)).await
    }

    /// Pods of a workload that have not ended, and those of them that are Ready. Pods on their way out are among the
    /// former: they may still answer.
    async fn pods(&self, subject: &Subject) -> Result<(u32, u32), ClusterError> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let params = ListParams::default().labels(&subject.selector);
        let what = format!("list the pods of {} {}", subject.target.kind, subject.target.name);
        let pods = answer(&what, api.list(&params)).await?.items;
        let count =
            |of: &dyn Fn(&&Pod) -> bool| u32::try_from(pods.iter().filter(of).count()).unwrap_or(u32::MAX);
        Ok((count(&|pod| !over(pod)), count(&|pod| ready(pod))))
    }
}

/// Why a namespace or a resource is production; `None` if it is not.
fn production(labels: &BTreeMap<String, String>, environment: Option<&str>) -> Option<String> {
    let named = |name: &str| matches!(name, "production" | "prod");
    let labelled = ["environment", "app.kubernetes.io/environment"]
        .into_iter()
        .find_map(|key| {
            let value = labels.get(key).filter(|value| named(value))?;
            Some(format!("its label {key}={value}"))
        });
    let active = environment.filter(|name| named(name));
    labelled.or_else(|| active.map(|name| format!("spec.environment is {name}")))
}

async fn answer<T>(
    what: &str,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ClusterError> {
    match tokio::time::timeout(TIME_LIMIT, request).await {
        Ok(answer) => answer.map_err(|source| ClusterError::Api {
            what: what.to_owned(),
            source,
        }),
        Err(_) => Err(ClusterError::Late {
            what: what.to_owned(),
        }),
    }
}

/// Looks again and again; whether it came true within the limit.
async fn wait(
    limit: Duration,
    look: impl AsyncFn() -> Result<bool, ClusterError>,
) -> Result<bool, ClusterError> {
    let waiting = async {
        loop {
            if look().await? {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    };
    match tokio::time::timeout(limit, waiting).await {
        Ok(looked) => looked.map(|()| true),
        Err(_) => Ok(false),
    }
}

fn not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

fn bounds(hpa: &HorizontalPodAutoscaler) -> (u32, u32) {
    let bound = |replicas: i32| u32::try_from(replicas).unwrap_or(0);
    (
        bound(hpa.spec.min_replicas.unwrap_or(1)),
        bound(hpa.spec.max_replicas),
    )
}

/// Whether an HPA follows no metric, in either direction.
fn suspended(hpa: &HorizontalPodAutoscaler) -> bool {
    let Some(behavior) = &hpa.spec.behavior else {
        return false;
    };
    [&behavior.scale_up, &behavior.scale_down]
        .into_iter()
        .all(|rules| {
            let select = rules.as_ref().and_then(|rules| rules.select_policy.as_deref());
            select == Some("Disabled")
        })
}

/// Whether a pod has ended for good.
fn over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && conditions
            .into_iter()
            .flatten()
            .any(|one| one.type_ == "Ready" && one.status == "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_is_told_by_labels_and_by_the_environment() {
        let labels = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        assert_eq!(production(&labels("environment", "staging"), Some("dev")), None);
        assert!(production(&labels("environment", "production"), None).is_some());
        assert!(production(&labels("app.kubernetes.io/environment", "prod"), None).is_some());
        assert!(
            production(&BTreeMap::new(), Some("production"))
                .is_some_and(|why| why.contains("spec.environment"))
        );
    }

    #[test]
    fn an_hpa_is_suspended_when_both_directions_are() {
        let hpa = |up: &str, down: &str| -> HorizontalPodAutoscaler {
            serde_json::from_value(
                json!({"spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "x"},
                "behavior": {"scaleUp": {"selectPolicy": up}, "scaleDown": {"selectPolicy": down}}}}),
            )
            .unwrap()
        };
        assert!(suspended(&hpa("Disabled", "Disabled")));
        assert!(!suspended(&hpa("Max", "Disabled")));
        assert_eq!(bounds(&hpa("Max", "Max")), (1, 5));
    }
}
