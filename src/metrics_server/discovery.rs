//! Discovery documents: constant, never empty, rendered once.
//!
//! They name the kinds of metrics, not the metrics: their size does not grow with the resources, and an
//! empty list would make every `kubectl` and `helm` call complain. Plain JSON is right also for clients that
//! ask for aggregated discovery: the API server then falls back to one document per version.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::path::Version;
use crate::api::CUSTOM_METRICS_GROUP;

/// What is listed under each version. The HPA does not read this list.
const RESOURCES: [&str; 4] = [
    "pods/request-rate",
    "deployments.apps/queue-depth",
    "deployments.apps/queue-age",
    "deployments.apps/prometheus",
];

/// The rendered documents.
#[derive(Clone, Debug)]
pub struct Discovery {
    groups: Bytes,
    group: Bytes,
    resources: [(Version, Bytes); 2],
}

impl Discovery {
    /// Renders the documents.
    pub fn new() -> Self {
        let group = group();
        let groups = json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]});
        Self {
            groups: groups.to_string().into(),
            group: group.to_string().into(),
            resources: Version::ALL.map(|version| (version, resources(version).to_string().into())),
        }
    }

    /// `/apis`.
    pub fn groups(&self) -> Bytes {
        self.groups.clone()
    }

    /// `/apis/custom.metrics.k8s.io`.
    pub fn group(&self) -> Bytes {
        self.group.clone()
    }

    /// `/apis/custom.metrics.k8s.io/VERSION`.
    pub fn resources(&self, version: Version) -> Bytes {
        let document = self.resources.iter().find(|(of, _)| *of == version);
        document.map(|(_, bytes)| bytes.clone()).unwrap_or_default()
    }
}

impl Default for Discovery {
    fn default() -> Self {
        Self::new()
    }
}

fn group() -> Value {
    let version =
        |version: Version| json!({"groupVersion": version.group_version(), "version": version.name()});
    json!({
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": CUSTOM_METRICS_GROUP,
        "versions": Version::ALL.map(version),
        "preferredVersion": version(Version::V1Beta2),
    })
}

fn resources(version: Version) -> Value {
    let resource = |name: &str| {
        json!({
            "name": name,
            "singularName": "",
            "namespaced": true,
            "kind": "MetricValueList",
            "verbs": ["get"],
        })
    };
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": version.group_version(),
        "resources": RESOURCES.map(resource),
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIGroupList, APIResourceList};

    use super::*;

    #[test]
    fn the_documents_are_what_client_libraries_parse() {
        let discovery = Discovery::new();
        let groups: APIGroupList = serde_json::from_slice(&discovery.groups()).unwrap();
        let group: APIGroup = serde_json::from_slice(&discovery.group()).unwrap();
        assert_eq!(groups.groups, std::slice::from_ref(&group));
        let versions: Vec<_> = group
            .versions
            .iter()
            .map(|version| version.version.as_str())
            .collect();
        assert_eq!(versions, ["v1beta2", "v1beta1"]);
        for version in Version::ALL {
            let list: APIResourceList = serde_json::from_slice(&discovery.resources(version)).unwrap();
            assert_eq!(list.group_version, version.group_version());
            assert!(!list.resources.is_empty());
            assert!(list.resources.iter().all(|resource| resource.verbs == ["get"]));
        }
    }
}
