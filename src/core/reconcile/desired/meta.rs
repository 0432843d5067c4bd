//! Metadata of children: name, labels, owner.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;

use crate::spec::model::ScalingKey;
use vas_api::{
    APP_NAME, LABEL_INSTANCE, LABEL_MANAGED_BY, LABEL_NAME, LABEL_SCALING, LABEL_WORKLOAD, MANAGED_BY,
    v1alpha1::VoiceAssistScaling,
};

/// The controller owner reference of a child. It makes the garbage collector delete the child after its
/// `VoiceAssistScaling`.
#[must_use]
pub fn owner_reference(name: &str, uid: &str) -> OwnerReference {
    OwnerReference {
        api_version: VoiceAssistScaling::api_version(&()).into_owned(),
        kind: VoiceAssistScaling::kind(&()).into_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// Labels of a child. The operator's watches select children by them. `workload` is `None` for the
/// namespace-wide children.
#[must_use]
pub fn labels(key: &ScalingKey, workload: Option<&str>) -> BTreeMap<String, String> {
    let common = [
        (LABEL_MANAGED_BY, MANAGED_BY),
        (LABEL_NAME, APP_NAME),
        (LABEL_INSTANCE, &key.name),
        (LABEL_SCALING, &key.name),
    ];
    common
        .into_iter()
        .chain(workload.map(|workload| (LABEL_WORKLOAD, workload)))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Metadata of a child. `owner` is `None` only if the resource is not stored in a cluster, as in `vas
/// render`.
#[must_use]
pub fn child(key: &ScalingKey, workload: Option<&str>, owner: Option<&OwnerReference>) -> ObjectMeta {
    ObjectMeta {
        name: Some(workload.map_or_else(|| key.name.clone(), |workload| key.child_name(workload))),
        namespace: Some(key.namespace.clone()).filter(|namespace| !namespace.is_empty()),
        labels: Some(labels(key, workload)),
        owner_references: owner.map(|owner| vec![owner.clone()]),
        ..ObjectMeta::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key() -> ScalingKey {
        ScalingKey {
            namespace: "prod".to_owned(),
            name: "voiceassist".to_owned(),
        }
    }

    #[test]
    fn a_child_of_a_workload_is_named_and_labelled_after_both() {
        let owner = owner_reference("voiceassist", "uid-1");
        assert_eq!(
            serde_json::to_value(child(&key(), Some("worker"), Some(&owner))).unwrap(),
            json!({
                "name": "voiceassist-worker",
                "namespace": "prod",
                "labels": {
                    "app.kubernetes.io/managed-by": "vas-operator",
                    "app.kubernetes.io/name": "voiceassist-scaling",
                    "app.kubernetes.io/instance": "voiceassist",
                    "scaling.voiceassist.io/name": "voiceassist",
                    "scaling.voiceassist.io/workload": "worker",
                },
                "ownerReferences": [{
                    "apiVersion": "scaling.voiceassist.io/v1alpha1",
                    "kind": "VoiceAssistScaling",
                    "name": "voiceassist",
                    "uid": "uid-1",
                    "controller": true,
                    "blockOwnerDeletion": true,
                }],
            })
        );
    }

    #[test]
    fn a_child_of_the_resource_has_its_name_and_no_workload_label() {
        let meta = child(&key(), None, None);
        assert_eq!(meta.name.as_deref(), Some("voiceassist"));
        assert!(!meta.labels.unwrap().contains_key(LABEL_WORKLOAD));
    }
}
