//! Makes the compact form of a watched object of a child kind.
//!
//! The compact form is made while the answer is parsed. Most of an object are managed fields, and only those
//! of the operator matter.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, OwnerReference, Time};
use kube::core::ApiResource;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

use crate::{
    cache::{Indexed, Term},
    pruned::Pruned,
};
use vas_api::{
    FIELD_MANAGER,
    condition::{ABLE_TO_SCALE, SCALING_ACTIVE},
};
use vas_core::{
    k8s::label_selector::LabelSelector,
    monitoring::readings::Reading,
    reconcile::{
        child::{ChildKind, Live, Mirrored, MirroredCondition, TargetKey},
        drift::OwnedFields,
        packed::Packed,
    },
};

/// Group, version and plural of a child kind.
pub(super) fn api_resource(kind: ChildKind) -> ApiResource {
    let (group, version) = kind.group_version();
    let mut resource = ApiResource::from_gvk_with_plural(
        &kube::core::GroupVersionKind::gvk(group, version, kind.as_str()),
        kind.plural(),
    );
    if group.is_empty() {
        // The core group has no name: its apiVersion is `v1`, not `/v1`.
        version.clone_into(&mut resource.api_version);
    }
    resource
}

/// An object of a child kind as the watch brings it.
pub(super) type Watched = Pruned<Live>;

/// The object as the API server sends it.
#[derive(Deserialize)]
struct Sent {
    metadata: Metadata,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    namespace: Option<String>,
    name: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    deletion_timestamp: Option<Time>,
    #[serde(default)]
    labels: Value,
    #[serde(default)]
    owner_references: Option<Vec<OwnerReference>>,
    #[serde(default)]
    managed_fields: Option<Vec<ManagedFieldsEntry>>,
}

/// The part of the object that is packed.
#[derive(Serialize)]
struct Content<'a> {
    metadata: ContentMetadata<'a>,
    spec: &'a Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContentMetadata<'a> {
    labels: &'a Value,
    owner_references: Option<&'a [OwnerReference]>,
}

impl<'de> Deserialize<'de> for Watched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Sent {
            metadata,
            spec,
            status,
        } = Sent::deserialize(deserializer)?;
        let owners = metadata.owner_references;
        let controller = owners
            .iter()
            .flatten()
            .find(|owner| owner.controller == Some(true))
            .map(|owner| OwnerReference {
                api_version: owner.api_version.clone(),
                kind: owner.kind.clone(),
                name: owner.name.clone(),
                uid: owner.uid.clone(),
                ..OwnerReference::default()
            });
        let target = target(&spec);
        let selector = spec.get("selector").cloned();
        let selector = selector.and_then(|selector| serde_json::from_value(selector).ok());
        let selector = selector.as_ref().map(LabelSelector::from);
        let content = Content {
            metadata: ContentMetadata {
                labels: &metadata.labels,
                owner_references: owners.as_deref(),
            },
            spec: &spec,
        };
        let content = serde_json::to_string(&content).map_err(D::Error::custom)?;
        let managed_fields = metadata.managed_fields.unwrap_or_default();
        let live = metadata.name.clone().zip(metadata.uid).map(|(name, uid)| {
            let mut live = Live {
                name,
                uid,
                controller,
                deleting: metadata.deletion_timestamp.is_some(),
                owned: OwnedFields::of(&managed_fields, FIELD_MANAGER),
                content: Packed::new(&content),
                target,
                selector,
                conditions: mirrored(&status),
                replicas: replicas(&status),
                reading: None,
            };
            if live.owning_resource().is_some() {
                live.reading = Reading::of(&spec, &status).map(Box::new);
            }
            live
        });
        Ok(Self::new(
            metadata.namespace,
            metadata.name,
            metadata.resource_version,
            live,
        ))
    }
}

/// The replicas that an HPA counted; `None` for an HPA without conditions, which has not counted yet.
fn replicas(status: &Value) -> Option<i32> {
    let counted = status.get("currentReplicas").and_then(Value::as_i64)?;
    let synced = status.get("conditions").and_then(Value::as_array);
    let synced = synced.is_some_and(|conditions| !conditions.is_empty());
    i32::try_from(counted).ok().filter(|_| synced)
}

impl Indexed for Live {
    fn all_of(&self) -> Vec<Term<'_>> {
        // A budget that asks for no label with one value cannot be found by a label, so it is found by `Pods`.
        let selects_by_label = !self.one_of().is_empty();
        let pods = (self.selector.is_some() && !selects_by_label).then_some(Term::Pods);
        self.target.iter().map(Term::Target).chain(pods).collect()
    }

    fn one_of(&self) -> Vec<Term<'_>> {
        let labels = self.selector.iter().flat_map(LabelSelector::known_labels);
        labels.map(|(name, value)| Term::Label(name, value)).collect()
    }
}

/// `spec.scaleTargetRef` of an HPA, `spec.targetRef` of a VPA.
fn target(spec: &Value) -> Option<TargetKey> {
    let target = spec.get("scaleTargetRef").or_else(|| spec.get("targetRef"))?;
    let text = |field: &str| target.get(field).and_then(Value::as_str).unwrap_or_default();
    Some(TargetKey::new(text("apiVersion"), text("kind"), text("name")))
}

/// The two conditions of an HPA that the operator copies into the status. Other conditions change with the
/// load.
fn mirrored(status: &Value) -> Mirrored {
    let list = status.get("conditions").and_then(Value::as_array);
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
    use serde_json::json;

    use super::*;
    use crate::cache::Key;

    fn live(object: Value) -> (Key, Live) {
        let watched: Watched = serde_json::from_value(object).unwrap();
        watched.into_parts().expect("an object with a name")
    }

    #[test]
    fn an_hpa_keeps_what_the_operator_acts_on() {
        let (key, live) = live(json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"namespace": "ns", "name": "a-w", "uid": "1", "resourceVersion": "7",
                "ownerReferences": [{"apiVersion": "x/v1", "kind": "X", "name": "x", "uid": "2", "controller": true}]},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "w"}, "maxReplicas": 3},
            "status": {"currentReplicas": 2, "conditions": [
                {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": ""},
                {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound", "message": "42"}]},
        }));
        assert_eq!(key, ("ns".to_owned(), "a-w".to_owned()));
        assert!(live.is_controlled_by("2"));
        assert_eq!(live.target, Some(TargetKey::new("apps/v1", "Deployment", "w")));
        assert_eq!(
            live.conditions.get("ScalingActive").unwrap().reason,
            "ValidMetricFound"
        );
        assert_eq!(
            live.conditions.settled().count(),
            1,
            "what moves with load is left out"
        );
        let content = live.content.text();
        assert!(!content.contains("currentReplicas") && !content.contains("resourceVersion"));
    }

    #[test]
    fn the_conditions_of_a_budget_are_left_out() {
        let (_, live) = live(json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"namespace": "ns", "name": "p", "uid": "1"},
            "status": {"conditions": [{"type": "DisruptionAllowed", "status": "True", "reason": "SufficientPods"}]},
        }));
        assert_eq!(live.conditions.settled().count(), 0);
    }

    #[test]
    fn an_object_of_another_shape_is_no_end_of_the_watch() {
        let (_, live) = live(json!({
            "metadata": {"namespace": "ns", "name": "p", "uid": "1", "labels": null},
            "spec": [1, 2], "status": {"conditions": {"type": "ScalingActive"}},
        }));
        assert_eq!((live.name.as_str(), live.target), ("p", None));
    }

    #[test]
    fn an_object_without_a_name_or_uid_is_skipped() {
        for metadata in [
            json!({"namespace": "ns", "uid": "1"}),
            json!({"namespace": "ns", "name": "p"}),
        ] {
            let watched: Watched = serde_json::from_value(json!({"metadata": metadata})).unwrap();
            assert!(watched.into_parts().is_none());
        }
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
