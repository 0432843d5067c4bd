//! A pod as it is read from the API server: metadata only, and of that only what the index and the watch
//! need.
//!
//! The rest, above all the managed fields, is most of a list of all pods of a cluster. The parser skips the
//! rest, so it never is in memory as values.

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::{
    api::core::v1::Pod,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use kube::Resource;
use serde::{Deserialize, Deserializer};

/// A pod with its namespace, name, UID, labels, resource version and deletion time.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LivePod {
    /// All other fields of the metadata are empty.
    #[serde(deserialize_with = "needed")]
    pub metadata: ObjectMeta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Needed {
    namespace: Option<String>,
    name: Option<String>,
    uid: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    resource_version: Option<String>,
    deletion_timestamp: Option<Time>,
}

fn needed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let needed = Needed::deserialize(deserializer)?;
    Ok(ObjectMeta {
        namespace: needed.namespace,
        name: needed.name,
        uid: needed.uid,
        labels: needed.labels,
        resource_version: needed.resource_version,
        deletion_timestamp: needed.deletion_timestamp,
        ..ObjectMeta::default()
    })
}

impl Resource for LivePod {
    type DynamicType = ();
    type Scope = <Pod as Resource>::Scope;

    /// The watch requests `PartialObjectMetadata`.
    fn metadata_api() -> bool {
        true
    }

    fn kind((): &()) -> Cow<'_, str> {
        Pod::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        Pod::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        Pod::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        Pod::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_needed_is_kept_and_nothing_else() {
        let sent = json!({
            "apiVersion": "meta.k8s.io/v1",
            "kind": "PartialObjectMetadata",
            "metadata": {
                "namespace": "ns", "name": "web-1", "uid": "u", "resourceVersion": "7", "generation": 2,
                "creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-01-02T00:00:00Z",
                "labels": {"app": "web"}, "annotations": {"note": "long"}, "finalizers": ["f"],
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "o"}],
                "managedFields": [{"manager": "m", "fieldsV1": {"f:metadata": {"f:labels": {}}}}],
            },
        });
        let pod: LivePod = serde_json::from_value(sent).unwrap();
        let kept = serde_json::to_value(&pod.metadata).unwrap();
        assert_eq!(
            kept,
            json!({
                "namespace": "ns", "name": "web-1", "uid": "u", "resourceVersion": "7", "labels": {"app": "web"},
                "deletionTimestamp": "2026-01-02T00:00:00Z",
            })
        );
    }

    #[test]
    fn it_is_a_pod_of_which_the_metadata_is_asked_for() {
        assert_eq!(
            (LivePod::kind(&()), LivePod::plural(&())),
            ("Pod".into(), "pods".into())
        );
        assert_eq!(LivePod::api_version(&()), "v1");
        assert!(LivePod::metadata_api());
    }
}
