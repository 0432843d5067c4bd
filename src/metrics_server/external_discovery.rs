//! Plain discovery of external.metrics.k8s.io: constant, never empty.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::path::ExternalPath;
use crate::api::EXTERNAL_METRICS_GROUP;

/// What is listed. The HPA does not read this list.
const RESOURCES: [&str; 3] = ["queue-depth", "queue-age", "prometheus"];

/// `/apis/external.metrics.k8s.io`.
pub fn group() -> Bytes {
    let version = version();
    let group = json!({
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": EXTERNAL_METRICS_GROUP,
        "versions": [version],
        "preferredVersion": version,
    });
    group.to_string().into()
}

/// `/apis/external.metrics.k8s.io/v1beta1`.
pub fn resources() -> Bytes {
    let resource = |name: &str| {
        json!({
            "name": name,
            "singularName": "",
            "namespaced": true,
            "kind": "ExternalMetricValueList",
            "verbs": ["get"],
        })
    };
    let list = json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version(),
        "resources": RESOURCES.map(resource),
    });
    list.to_string().into()
}

fn group_version() -> String {
    format!("{EXTERNAL_METRICS_GROUP}/{}", ExternalPath::VERSION)
}

fn version() -> Value {
    json!({"groupVersion": group_version(), "version": ExternalPath::VERSION})
}
