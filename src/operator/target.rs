//! Reading scale targets: any kind with a `scale` subresource.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_openapi::{api::autoscaling::v1::Scale, apimachinery::pkg::apis::meta::v1::APIResourceList};
use kube::{
    Api, Client,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use parking_lot::Mutex;

use super::error::{READ_TIME_LIMIT, ReconcileError};
use crate::{
    api::{condition::reason, v1alpha1::ScaleTargetRef},
    clock::Clock,
    core::{
        observed::{PodTemplate, Target},
        pod_template, selector,
    },
};

/// A kind that was not found is looked for again after this time: its CRD may have been installed.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Reads scale targets, and remembers how their kinds are served.
pub(super) struct Targets {
    client: Client,
    clock: Arc<dyn Clock>,
    /// By `group/version`, with the time it was read.
    served: Mutex<BTreeMap<String, (Duration, Arc<APIResourceList>)>>,
}

/// How a kind is served.
enum Kind {
    Scalable(ApiResource),
    Unusable { reason: &'static str, message: String },
}

impl Targets {
    pub(super) fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            clock,
            served: Mutex::default(),
        }
    }

    /// Reads one target; its pod template only if asked to, because that is one more request.
    pub(super) async fn read(
        &self,
        namespace: &str,
        target: &ScaleTargetRef,
        with_template: bool,
    ) -> Result<Target, ReconcileError> {
        let read = self.read_unbounded(namespace, target, with_template);
        let unanswered = |_| ReconcileError::Unanswered { what: shown(target) };
        tokio::time::timeout(READ_TIME_LIMIT, read)
            .await
            .map_err(unanswered)?
    }

    async fn read_unbounded(
        &self,
        namespace: &str,
        target: &ScaleTargetRef,
        with_template: bool,
    ) -> Result<Target, ReconcileError> {
        let resource = match self.kind(target).await? {
            Kind::Scalable(resource) => resource,
            Kind::Unusable { reason, message } => return Ok(Target::Unusable { reason, message }),
        };
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &resource);
        match api.get_scale(&target.name).await {
            Ok(scale) => Ok(Target::Found {
                selector: pods_of(&scale),
                template: if with_template {
                    let object = api.get_opt(&target.name).await;
                    template(object).map_err(|source| observe(target, source))?
                } else {
                    None
                },
            }),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(Target::Unusable {
                reason: reason::NOT_FOUND,
                message: format!("{} {} does not exist in this namespace", target.kind, target.name),
            }),
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(Target::Unusable {
                reason: reason::FORBIDDEN,
                message: missing_rule(&resource),
            }),
            Err(source) => Err(observe(target, source)),
        }
    }

    async fn kind(&self, target: &ScaleTargetRef) -> Result<Kind, ReconcileError> {
        let version = &target.api_version;
        let known = self.served.lock().get(version).cloned();
        if let Some((at, list)) = known {
            let kind = kind_in(&list, target);
            let fresh = self.clock.monotonic().saturating_sub(at) < LOOK_AGAIN;
            if fresh || matches!(kind, Kind::Scalable(_)) {
                return Ok(kind);
            }
        }
        let list = if version.contains('/') {
            self.client.list_api_group_resources(version).await
        } else {
            self.client.list_core_api_resources(version).await
        };
        let list = match list {
            Ok(list) => list,
            Err(kube::Error::Api(status)) if status.code == 404 => APIResourceList::default(),
            Err(source) => return Err(observe(target, source)),
        };
        let kind = kind_in(&list, target);
        let entry = (self.clock.monotonic(), Arc::new(list));
        self.served.lock().insert(version.clone(), entry);
        Ok(kind)
    }
}

fn kind_in(list: &APIResourceList, target: &ScaleTargetRef) -> Kind {
    let served = list
        .resources
        .iter()
        .find(|resource| resource.kind == target.kind && !resource.name.contains('/'));
    let Some(served) = served else {
        return Kind::Unusable {
            reason: reason::NOT_FOUND,
            message: format!(
                "the cluster serves no kind {} in {}",
                target.kind, target.api_version
            ),
        };
    };
    let scale = format!("{}/scale", served.name);
    if !served.namespaced || !list.resources.iter().any(|resource| resource.name == scale) {
        return Kind::Unusable {
            reason: reason::NOT_SCALABLE,
            message: format!(
                "{} of {} has no scale subresource; target the object that manages the pods, such as a Deployment",
                target.kind, target.api_version
            ),
        };
    }
    let (group, version) = target
        .api_version
        .split_once('/')
        .unwrap_or(("", &target.api_version));
    Kind::Scalable(ApiResource::from_gvk_with_plural(
        &GroupVersionKind::gvk(group, version, &target.kind),
        &served.name,
    ))
}

/// The pods of a target, as its scale subresource tells.
fn pods_of(scale: &Scale) -> Result<k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector, String> {
    let status = scale.status.as_ref();
    let text = status
        .and_then(|status| status.selector.as_deref())
        .unwrap_or_default();
    if text.is_empty() {
        return Err(
            "the target's scale subresource has no status.selector; for a custom resource, set labelSelectorPath in its CRD"
                .to_owned(),
        );
    }
    selector::parse(text)
        .map_err(|error| format!("the selector of the target's scale subresource cannot be used: {error}"))
}

/// Not being allowed to read the template, or there being none, only makes checks less exact. Any other
/// failure is one of the whole read: without the labels, somebody else's budget may go unseen.
fn template(object: Result<Option<DynamicObject>, kube::Error>) -> Result<Option<PodTemplate>, kube::Error> {
    match object {
        Ok(object) => Ok(object.and_then(|object| pod_template::read(&object.data))),
        Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => Ok(None),
        Err(error) => Err(error),
    }
}

fn missing_rule(resource: &ApiResource) -> String {
    format!(
        "the operator may not read the target's scale subresource; add the RBAC rule apiGroups: [\"{}\"], resources: [\"{}/scale\"], verbs: [\"get\"] to a ClusterRole with the operator's aggregation label",
        resource.group, resource.plural
    )
}

fn observe(target: &ScaleTargetRef, source: kube::Error) -> ReconcileError {
    ReconcileError::Observe {
        what: shown(target),
        source,
    }
}

fn shown(target: &ScaleTargetRef) -> String {
    format!("scale target {} {}", target.kind, target.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn list() -> APIResourceList {
        let resource = |name: &str, kind: &str, namespaced: bool| json!({"name": name, "kind": kind, "namespaced": namespaced, "singularName": "", "verbs": []});
        serde_json::from_value(json!({"groupVersion": "apps/v1", "resources": [
            resource("deployments", "Deployment", true),
            resource("deployments/scale", "Scale", true),
            resource("daemonsets", "DaemonSet", true),
            resource("things", "Thing", false),
            resource("things/scale", "Scale", false),
        ]}))
        .unwrap()
    }

    fn verdict(kind: &str) -> String {
        let target = ScaleTargetRef {
            api_version: "apps/v1".to_owned(),
            kind: kind.to_owned(),
            name: "x".to_owned(),
        };
        match kind_in(&list(), &target) {
            Kind::Scalable(resource) => format!("{} in {}", resource.plural, resource.api_version),
            Kind::Unusable { reason, .. } => reason.to_owned(),
        }
    }

    #[test]
    fn kinds_are_told_apart_by_discovery() {
        assert_eq!(verdict("Deployment"), "deployments in apps/v1");
        assert_eq!(verdict("DaemonSet"), reason::NOT_SCALABLE);
        assert_eq!(verdict("Thing"), reason::NOT_SCALABLE);
        assert_eq!(verdict("Nothing"), reason::NOT_FOUND);
    }

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
            template(Err(kube::Error::Api(Box::new(status))))
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
        let message = missing_rule(&resource);
        assert!(
            message.contains(r#"apiGroups: ["argoproj.io"], resources: ["rollouts/scale"], verbs: ["get"]"#)
        );
    }
}
