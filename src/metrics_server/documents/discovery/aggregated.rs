//! Aggregated discovery, `apidiscovery.k8s.io/v2`: groups, versions and resources in one document.
//!
//! `responseKind` is always set, because old clients crash on null. A parent that cannot be read itself has
//! an empty one, by which clients know to leave the parent out. Only v2 is served: an aggregator that knows
//! only `v2beta1` (Kubernetes before 1.30) falls back to the plain documents.

use axum::http::HeaderValue;
use serde_json::{Value, json};

use super::by_group;
use crate::documents::{
    cached::Document,
    served::{Described, Scope, Served},
};

/// The aggregator accepts the answer as aggregated discovery only with exactly these parameters.
const CONTENT_TYPE: HeaderValue =
    HeaderValue::from_static("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");

/// Renders the document of all served versions.
pub(super) fn render(all: &[Served]) -> Document {
    let items: Vec<Value> = by_group(all)
        .into_iter()
        .map(|(name, versions)| {
            let versions: Vec<Value> = versions.into_iter().map(version).collect();
            json!({"metadata": {"name": name}, "versions": versions})
        })
        .collect();
    Document::with_type(
        CONTENT_TYPE,
        &json!({
            "kind": "APIGroupDiscoveryList",
            "apiVersion": "apidiscovery.k8s.io/v2",
            "metadata": {},
            "items": items,
        }),
    )
}

fn version(served: Served) -> Value {
    let kind = response_kind(served);
    let described = served.described().iter().map(|object| parent(object, &kind));
    let undescribed = served.undescribed().iter().map(|metric| {
        json!({
            "resource": metric,
            "responseKind": kind,
            "scope": "Namespaced",
            "singularResource": "",
            "verbs": ["get"],
        })
    });
    json!({
        "version": served.version(),
        "freshness": "Current",
        "resources": described.chain(undescribed).collect::<Vec<_>>(),
    })
}

/// A described object: it cannot be read itself, and its metrics are its subresources.
fn parent(object: &Described, kind: &Value) -> Value {
    let subresource = |metric: &&str| json!({"subresource": metric, "responseKind": kind, "verbs": ["get"]});
    json!({
        "resource": object.resource,
        "responseKind": {"group": "", "version": "", "kind": ""},
        "scope": match object.scope {
            Scope::Namespaced => "Namespaced",
            Scope::Cluster => "Cluster",
        },
        "singularResource": "",
        "verbs": [],
        "subresources": object.metrics.iter().map(subresource).collect::<Vec<_>>(),
    })
}

fn response_kind(served: Served) -> Value {
    json!({"group": served.group(), "version": served.version(), "kind": served.list_kind()})
}
