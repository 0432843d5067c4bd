//! From a watched object of a child kind to its compact form.

use std::collections::BTreeMap;

use kube::core::{ApiResource, DynamicObject};
use serde_json::{Value, json};

use super::cache::Key;
use crate::{
    api::{
        FIELD_MANAGER,
        condition::{ABLE_TO_SCALE, SCALING_ACTIVE},
    },
    core::{
        child::{ChildKind, Live, MirroredCondition, TargetKey},
        drift::OwnedFields,
    },
};

/// How the API server names a child kind.
pub(super) fn api_resource(kind: ChildKind) -> ApiResource {
    let (group, version) = kind.group_version();
    let mut resource = ApiResource::from_gvk_with_plural(
        &kube::core::GroupVersionKind::gvk(group, version, kind.as_str()),
        kind.plural(),
    );
    if group.is_empty() {
        version.clone_into(&mut resource.api_version);
    }
    resource
}

/// The compact form of a watched object, with its key.
pub(super) fn live(kind: ChildKind, object: DynamicObject) -> (Key, Live) {
    let metadata = object.metadata;
    let name = metadata.name.unwrap_or_default();
    let spec = object.data.get("spec").cloned().unwrap_or_default();
    let owners = metadata.owner_references;
    let controller = owners
        .iter()
        .flatten()
        .find(|owner| owner.controller == Some(true))
        .cloned();
    let content = json!({
        "metadata": {"labels": metadata.labels, "ownerReferences": owners},
        "spec": spec,
    });
    let managed_fields = metadata.managed_fields.unwrap_or_default();
    let live = Live {
        uid: metadata.uid.unwrap_or_default(),
        controller,
        deleting: metadata.deletion_timestamp.is_some(),
        owned: OwnedFields::of(&managed_fields, FIELD_MANAGER),
        content: content.to_string().into_boxed_str(),
        target: target(&spec),
        selector: spec
            .get("selector")
            .and_then(|selector| serde_json::from_value(selector.clone()).ok()),
        conditions: match kind {
            ChildKind::HorizontalPodAutoscaler => mirrored(&object.data),
            ChildKind::VerticalPodAutoscaler
            | ChildKind::PodDisruptionBudget
            | ChildKind::LimitRange
            | ChildKind::ResourceQuota => BTreeMap::new(),
        },
        name: name.clone(),
    };
    ((metadata.namespace.unwrap_or_default(), name), live)
}

/// `spec.scaleTargetRef` of an HPA, `spec.targetRef` of a VPA.
fn target(spec: &Value) -> Option<TargetKey> {
    let target = spec.get("scaleTargetRef").or_else(|| spec.get("targetRef"))?;
    let text = |field: &str| target.get(field).and_then(Value::as_str).unwrap_or_default();
    Some(TargetKey::new(text("apiVersion"), text("kind"), text("name")))
}

/// The two conditions of an HPA that the operator takes over. Others come and go with load.
fn mirrored(data: &Value) -> BTreeMap<String, MirroredCondition> {
    let list = data.pointer("/status/conditions").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .map(|condition| {
            let text = |field: &str| {
                let value = condition.get(field).and_then(Value::as_str);
                value.unwrap_or_default().to_owned()
            };
            let mirrored = MirroredCondition {
                status: text("status"),
                reason: text("reason"),
                message: text("message"),
            };
            (text("type"), mirrored)
        })
        .filter(|(type_, _)| [ABLE_TO_SCALE, SCALING_ACTIVE].contains(&type_.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hpa_keeps_what_the_operator_acts_on() {
        let object: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"namespace": "ns", "name": "a-w", "uid": "1", "resourceVersion": "7",
                "ownerReferences": [{"apiVersion": "x/v1", "kind": "X", "name": "x", "uid": "2", "controller": true}]},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "w"}, "maxReplicas": 3},
            "status": {"currentReplicas": 2, "conditions": [
                {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": ""},
                {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound", "message": "42"}]},
        }))
        .unwrap();
        let (key, live) = live(ChildKind::HorizontalPodAutoscaler, object);
        assert_eq!(key, ("ns".to_owned(), "a-w".to_owned()));
        assert!(live.is_controlled_by("2"));
        assert_eq!(live.target, Some(TargetKey::new("apps/v1", "Deployment", "w")));
        assert_eq!(live.conditions["ScalingActive"].reason, "ValidMetricFound");
        assert_eq!(live.conditions.len(), 1, "what moves with load is left out");
        assert!(!live.content.contains("currentReplicas") && !live.content.contains("resourceVersion"));
    }

    #[test]
    fn the_conditions_of_a_budget_are_left_out() {
        let object: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"namespace": "ns", "name": "p"},
            "status": {"conditions": [{"type": "DisruptionAllowed", "status": "True", "reason": "SufficientPods"}]},
        }))
        .unwrap();
        let (_, live) = live(ChildKind::PodDisruptionBudget, object);
        assert!(live.conditions.is_empty());
    }

    #[test]
    fn core_kinds_have_no_group_in_their_version() {
        assert_eq!(api_resource(ChildKind::LimitRange).api_version, "v1");
        assert_eq!(
            api_resource(ChildKind::PodDisruptionBudget).api_version,
            "policy/v1"
        );
    }
}
