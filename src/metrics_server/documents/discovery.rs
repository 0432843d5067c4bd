//! Discovery documents: constant, never empty, and rendered once.
//!
//! Plain discovery has one document for the groups and one for each version. The API server and current
//! clients request all of it in one document, the aggregated form. The answer of one replica counts for the
//! whole Service, so all replicas must answer the same.

mod aggregated;

use axum::{http::HeaderMap, response::Response};
use serde_json::{Value, json};

use super::{
    cached::Document,
    served::{Scope, Served},
};
use crate::serving::negotiation::{DiscoveryForm, discovery_form};

/// The rendered discovery documents.
#[derive(Clone, Debug)]
pub(super) struct Discovery {
    plain: Document,
    aggregated: Document,
    groups: Vec<(&'static str, Document)>,
    resources: Vec<(Served, Document)>,
}

impl Discovery {
    /// Renders the documents; `external` says whether external.metrics.k8s.io is served.
    pub(super) fn new(external: bool) -> Self {
        let all = Served::all(external);
        let groups: Vec<(&'static str, Value)> = by_group(&all)
            .into_iter()
            .map(|(name, versions)| (name, group(name, &versions)))
            .collect();
        let list: Vec<&Value> = groups.iter().map(|(_, group)| group).collect();
        Self {
            plain: Document::json(&json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": list})),
            aggregated: aggregated::render(&all),
            groups: groups
                .iter()
                .map(|(name, group)| (*name, Document::json(group)))
                .collect(),
            resources: all
                .iter()
                .map(|served| (*served, Document::json(&resources(*served))))
                .collect(),
        }
    }

    /// The answer to `/apis`, in the form that the client prefers.
    pub(super) fn groups(&self, request: &HeaderMap) -> Response {
        match discovery_form(request) {
            DiscoveryForm::Plain => self.plain.answer(request),
            DiscoveryForm::Aggregated => self.aggregated.answer(request),
        }
    }

    /// The document of `/apis/GROUP`; `None` for a group that is not served.
    pub(super) fn group(&self, name: &str) -> Option<&Document> {
        let found = self.groups.iter().find(|(of, _)| *of == name);
        found.map(|(_, document)| document)
    }

    /// The document of `/apis/GROUP/VERSION`; `None` for a version that is not served.
    pub(super) fn resources(&self, of: Served) -> Option<&Document> {
        let found = self.resources.iter().find(|(served, _)| *served == of);
        found.map(|(_, document)| document)
    }
}

/// Versions by group, in the order in which they are listed.
fn by_group(all: &[Served]) -> Vec<(&'static str, Vec<Served>)> {
    all.chunk_by(|one, next| one.group() == next.group())
        .filter_map(|versions| Some((versions.first()?.group(), versions.to_vec())))
        .collect()
}

fn group(name: &str, versions: &[Served]) -> Value {
    let version =
        |served: &Served| json!({"groupVersion": served.group_version(), "version": served.version()});
    json!({
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": versions.iter().map(version).collect::<Vec<_>>(),
        "preferredVersion": versions.first().map(version),
    })
}

fn resources(served: Served) -> Value {
    let entry = |name: String, namespaced: bool| {
        json!({
            "name": name,
            "singularName": "",
            "namespaced": namespaced,
            "kind": served.list_kind(),
            "verbs": ["get"],
        })
    };
    let described = served.described().iter().flat_map(|object| {
        let namespaced = object.scope == Scope::Namespaced;
        let names = object
            .metrics
            .iter()
            .map(|metric| format!("{}/{metric}", object.resource));
        names.map(move |name| entry(name, namespaced))
    });
    let undescribed = served
        .undescribed()
        .iter()
        .map(|name| entry((*name).to_owned(), true));
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": served.group_version(),
        "resources": described.chain(undescribed).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
