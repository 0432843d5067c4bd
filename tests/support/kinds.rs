//! Where the API server keeps the objects of a kind.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use super::api::Connection;

/// Kinds whose objects are in namespaces, for kinds that tests name as kubectl lets them: singular, short name (empty where
/// there is none), and group with version. The plural is the singular with an `s`.
const IN_NAMESPACES: [(&str, &str, &str); 20] = [
    ("pod", "", "api/v1"),
    ("job", "", "apis/batch/v1"),
    ("configmap", "", "api/v1"),
    ("limitrange", "", "api/v1"),
    ("resourcequota", "quota", "api/v1"),
    ("secret", "", "api/v1"),
    ("service", "", "api/v1"),
    ("serviceaccount", "", "api/v1"),
    ("deployment", "", "apis/apps/v1"),
    ("statefulset", "", "apis/apps/v1"),
    ("horizontalpodautoscaler", "hpa", "apis/autoscaling/v2"),
    ("verticalpodautoscaler", "vpa", "apis/autoscaling.k8s.io/v1"),
    ("poddisruptionbudget", "pdb", "apis/policy/v1"),
    ("endpointslice", "", "apis/discovery.k8s.io/v1"),
    ("lease", "", "apis/coordination.k8s.io/v1"),
    ("event", "", "apis/events.k8s.io/v1"),
    ("role", "", "apis/rbac.authorization.k8s.io/v1"),
    ("rolebinding", "", "apis/rbac.authorization.k8s.io/v1"),
    (
        "voiceassistscaling",
        "vas",
        "apis/scaling.voiceassist.io/v1alpha1",
    ),
    ("voicething", "", "apis/test.voiceassist.io/v1"),
];

/// The same for kinds whose objects are the cluster's.
const OF_THE_CLUSTER: [(&str, &str, &str); 5] = [
    ("namespace", "", "api/v1"),
    ("clusterrole", "", "apis/rbac.authorization.k8s.io/v1"),
    ("clusterrolebinding", "", "apis/rbac.authorization.k8s.io/v1"),
    ("customresourcedefinition", "crd", "apis/apiextensions.k8s.io/v1"),
    ("apiservice", "", "apis/apiregistration.k8s.io/v1"),
];

/// Group with version, singular, and whether the objects are in namespaces.
fn known(kind: &str) -> (&'static str, &'static str, bool) {
    let wanted = kind.to_lowercase();
    let find = |kinds: &[(&'static str, &'static str, &'static str)]| {
        let is_meant = |(singular, short, _): &&(&str, &str, &str)| {
            wanted == *short
                || wanted.strip_suffix('s').unwrap_or(&wanted) == *singular
                || wanted == *singular
        };
        kinds
            .iter()
            .find(is_meant)
            .map(|(singular, _, group)| (*group, *singular))
    };
    if let Some((group, singular)) = find(&IN_NAMESPACES) {
        (group, singular, true)
    } else if let Some((group, singular)) = find(&OF_THE_CLUSTER) {
        (group, singular, false)
    } else {
        panic!("tests/support/kinds.rs does not know where objects of kind {kind} are")
    }
}

/// Path of the objects of a kind in a namespace.
pub(super) fn collection(namespace: &str, kind: &str) -> String {
    let (group, singular, namespaced) = known(kind);
    path(group, &format!("{singular}s"), namespaced.then_some(namespace))
}

/// Path of an object.
pub(super) fn object(namespace: &str, kind: &str, name: &str) -> String {
    format!("{}/{name}", collection(namespace, kind))
}

/// API group (empty for the core's) and plural of a kind, and whether its objects are in namespaces.
pub(super) fn resource(kind: &str) -> (&'static str, String, bool) {
    let (group, singular, namespaced) = known(kind);
    let group = group.strip_prefix("apis/").unwrap_or_default();
    let group = group.split('/').next().unwrap_or_default();
    (group, format!("{singular}s"), namespaced)
}

fn path(group: &str, plural: &str, namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("/{group}/namespaces/{namespace}/{plural}"),
        None => format!("/{group}/{plural}"),
    }
}

/// What the API server has said of its kinds: by group, version and kind, the plural and whether the objects are in
/// namespaces.
#[derive(Default)]
pub(super) struct Served(Mutex<BTreeMap<(String, String), (String, bool)>>);

impl Connection {
    /// Path of an object that is to be written, from its own `apiVersion` and `kind`.
    pub(super) fn place(&self, namespace: &str, object: &Value) -> Result<String, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let version = text(&object["apiVersion"]);
        let group = if version.contains('/') {
            format!("apis/{version}")
        } else {
            format!("api/{version}")
        };
        let key = (group, text(&object["kind"]));
        if self.served.get(&key).is_none() {
            // A CRD may have come since.
            self.discover(&key.0)?;
        }
        let found = self.served.get(&key);
        let (plural, namespaced) =
            found.ok_or_else(|| format!("no matches for kind {} in version {version}", key.1))?;
        let own = object["metadata"]["namespace"].as_str().unwrap_or(namespace);
        let collection = path(&key.0, &plural, namespaced.then_some(own));
        Ok(format!("{collection}/{}", text(&object["metadata"]["name"])))
    }

    fn discover(&self, group: &str) -> Result<(), String> {
        let text = self.send("GET", &format!("/{group}"))?;
        let list: Value = serde_json::from_str(&text).map_err(|error| format!("/{group}: {error}"))?;
        for resource in list["resources"].as_array().into_iter().flatten() {
            let text = |field: &str| resource[field].as_str().unwrap_or_default().to_owned();
            // A subresource, such as `deployments/scale`, has the kind of another resource.
            if !text("name").contains('/') {
                let namespaced = resource["namespaced"] == true;
                self.served
                    .put((group.to_owned(), text("kind")), (text("name"), namespaced));
            }
        }
        Ok(())
    }
}

impl Served {
    fn get(&self, key: &(String, String)) -> Option<(String, bool)> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    fn put(&self, key: (String, String), found: (String, bool)) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, found);
    }
}
