//! Reads scale targets of any kind with a `scale` subresource.
//!
//! Deployments and StatefulSets are watched. Targets of other kinds are read by GET requests, and so are all
//! targets where the operator may not watch.

mod asked;
mod kinds;
mod object;
mod watched;

use std::sync::Arc;

use k8s_openapi::api::autoscaling::v1::Scale;
use kube::{
    Client,
    core::{ApiResource, GroupVersionKind},
};
use serde_json::Value;

use crate::error::{READ_TIME_LIMIT, ReconcileError};
pub(super) use asked::{Asked, Question};
use kinds::Kind;
pub(super) use object::{Known, TargetObject};
use vas_api::{condition::reason, v1alpha1::ScaleTargetRef};
use vas_cluster::{
    clock::Clock,
    kinds::Kinds,
    read::{ReadError, Reader, found},
    scale_target,
};
use vas_core::{
    k8s::{label_selector::LabelSelector, pod_template},
    reconcile::observed::{PodTemplate, Target},
};
use watched::Lookup;
pub(super) use watched::{Coverage, WatchedKind, WatchedTargets};

/// Reads scale targets by GET requests.
pub(super) struct Targets {
    reader: Reader,
    kinds: Kinds,
}

/// Group, version and plural of a watched kind.
pub(super) fn api_resource(kind: WatchedKind) -> ApiResource {
    let kind_and_version = GroupVersionKind::gvk(WatchedKind::GROUP, "v1", kind.as_str());
    ApiResource::from_gvk_with_plural(&kind_and_version, kind.plural())
}

impl Targets {
    pub(super) fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        let reader = Reader::new(client, READ_TIME_LIMIT);
        Self {
            kinds: Kinds::new(reader.clone(), clock),
            reader,
        }
    }

    /// A target of a watched kind, as the watch knows it. A GET is sent only if the watch showed the object
    /// before a resource laid claim to it, because the watch dropped the object then.
    pub(super) async fn known(
        &self,
        namespace: &str,
        target: &ScaleTargetRef,
        kind: WatchedKind,
        watched: &WatchedTargets,
    ) -> Result<Target, ReconcileError> {
        let known = match watched.get(namespace, &target.name) {
            Lookup::Found(known) => Some(known),
            Lookup::Absent => None,
            Lookup::Unknown(asking) => {
                let resource = api_resource(kind);
                let read = scale_target::object(&self.reader, &resource, namespace, &target.name).await;
                match found::<TargetObject>(read) {
                    Ok(object) => {
                        let answer = object.and_then(TargetObject::into_parts).map(|(_, known)| known);
                        watched.answered(namespace, &target.name, asking, answer)
                    }
                    // A forbidden read does not fail the reconcile: the status names the missing RBAC rule.
                    Err(ReadError::Server(status)) if status.code == 403 => {
                        return Ok(Target::Unusable {
                            reason: reason::FORBIDDEN,
                            message: missing_rule(&resource, &resource.plural),
                        });
                    }
                    Err(error) => return Err(observe(target, error)),
                }
            }
        };
        Ok(known.map_or_else(|| not_found(target), |known| known.target()))
    }

    /// Reads one target. Its pod template costs a second request and is read only if `with_template` is set.
    pub(super) async fn ask(
        &self,
        namespace: &str,
        target: &ScaleTargetRef,
        with_template: bool,
    ) -> Result<Target, ReconcileError> {
        in_time(target, self.ask_unbounded(namespace, target, with_template)).await?
    }

    async fn ask_unbounded(
        &self,
        namespace: &str,
        target: &ScaleTargetRef,
        with_template: bool,
    ) -> Result<Target, ReconcileError> {
        let kind = kinds::find(&self.kinds, target).await;
        let resource = match kind.map_err(|error| observe(target, error))? {
            Kind::Scalable(resource) => resource,
            Kind::Unusable { reason, message } => return Ok(Target::Unusable { reason, message }),
        };
        match scale_target::scale(&self.reader, &resource, namespace, &target.name).await {
            Ok(scale) => Ok(Target::Found {
                selector: pods_of(&scale),
                template: if with_template {
                    let read = scale_target::object(&self.reader, &resource, namespace, &target.name).await;
                    template(found(read)).map_err(|error| observe(target, error))?
                } else {
                    None
                },
            }),
            Err(ReadError::Server(status)) if status.code == 404 => Ok(not_found(target)),
            Err(ReadError::Server(status)) if status.code == 403 => Ok(Target::Unusable {
                reason: reason::FORBIDDEN,
                message: missing_rule(&resource, &format!("{}/scale", resource.plural)),
            }),
            Err(error) => Err(observe(target, error)),
        }
    }
}

/// Waits for several reads together no longer than [`READ_TIME_LIMIT`].
async fn in_time<T>(target: &ScaleTargetRef, read: impl Future<Output = T>) -> Result<T, ReconcileError> {
    let unanswered = |_| ReconcileError::Unanswered { what: shown(target) };
    tokio::time::timeout(READ_TIME_LIMIT, read)
        .await
        .map_err(unanswered)
}

fn not_found(target: &ScaleTargetRef) -> Target {
    Target::Unusable {
        reason: reason::NOT_FOUND,
        message: format!("{} {} does not exist in this namespace", target.kind, target.name),
    }
}

/// The selector of a target's pods, from its `scale` subresource.
fn pods_of(scale: &Scale) -> Result<LabelSelector, String> {
    let status = scale.status.as_ref();
    pods(
        status
            .and_then(|status| status.selector.as_deref())
            .unwrap_or_default(),
    )
}

/// Parses a selector in its text form, such as `app=web,tier in (a,b)`.
fn pods(text: &str) -> Result<LabelSelector, String> {
    if text.is_empty() {
        return Err(
            "the target's scale subresource has no status.selector; for a custom resource, set labelSelectorPath in its CRD"
                .to_owned(),
        );
    }
    LabelSelector::of_pods(text)
        .map_err(|error| format!("the selector of the target's scale subresource cannot be used: {error}"))
}

/// The pod template of a target. If the operator may not read it, or there is none, checks are only less
/// exact. Any other failure fails the whole read: without the labels of the pods, a foreign budget that
/// selects them would go unseen.
fn template(object: Result<Option<Value>, ReadError>) -> Result<Option<PodTemplate>, ReadError> {
    match object {
        Ok(object) => Ok(object.and_then(|object| pod_template::read(&object))),
        Err(ReadError::Server(status)) if status.code == 403 => Ok(None),
        Err(error) => Err(error),
    }
}

fn missing_rule(resource: &ApiResource, what: &str) -> String {
    format!(
        "the operator may not read the target; add the RBAC rule apiGroups: [\"{}\"], resources: [\"{what}\"], verbs: [\"get\"] to a ClusterRole with the operator's aggregation label",
        resource.group
    )
}

fn observe(target: &ScaleTargetRef, error: ReadError) -> ReconcileError {
    let what = shown(target);
    match error.into_client_error() {
        Some(source) => ReconcileError::Observe { what, source },
        None => ReconcileError::Unanswered { what },
    }
}

fn shown(target: &ScaleTargetRef) -> String {
    format!("scale target {} {}", target.kind, target.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_without_selector_says_what_to_do() {
        let scale = |selector: &str| -> Scale {
            serde_json::from_value(json!({"metadata": {}, "status": {"replicas": 1, "selector": selector}}))
                .unwrap()
        };
        assert!(pods_of(&scale("app=x")).is_ok());
        assert!(pods_of(&scale("")).unwrap_err().contains("labelSelectorPath"));
        assert!(pods_of(&scale("a>1")).is_err());
    }

    #[test]
    fn a_template_that_could_not_be_read_is_not_taken_for_none() {
        let answer = |code: u16| {
            let status = serde_json::from_value(json!({"code": code})).unwrap();
            template(Err(ReadError::Server(Box::new(status))))
        };
        assert_eq!(answer(403).unwrap(), None);
        assert!(answer(429).is_err());
        assert!(answer(503).is_err());
        assert_eq!(template(Ok(None)).unwrap(), None);
    }

    #[test]
    fn a_missing_rule_is_spelled_out() {
        let resource = ApiResource::from_gvk_with_plural(
            &GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Rollout"),
            "rollouts",
        );
        let message = missing_rule(&resource, "rollouts/scale");
        assert!(
            message.contains(r#"apiGroups: ["argoproj.io"], resources: ["rollouts/scale"], verbs: ["get"]"#)
        );
    }
}
