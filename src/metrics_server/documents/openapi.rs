//! OpenAPI documents: the schemas of this server's answers, for `kubectl`, generated clients and the API
//! server. The API server downloads them every minute, merges them with its own, and logs an error for each
//! missing one.
//!
//! Every definition belongs to one version of one group and refers to no common type. The API server renames
//! a definition that two servers define differently, and common types differ between releases of Kubernetes.

mod paths;
mod schemas;

use axum::{http::HeaderMap, response::Response};
use serde_json::{Map, Value, json};

use super::{cached::Document, served::Served};

/// The version of the OpenAPI specification in which a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// Swagger 2.0: one document for everything.
    V2,
    /// OpenAPI 3.0: one document for each version of each group.
    V3,
}

impl Dialect {
    /// A reference to a definition in the same document.
    fn reference(self, name: &str) -> Value {
        let place = match self {
            Self::V2 => "definitions",
            Self::V3 => "components/schemas",
        };
        json!({"$ref": format!("#/{place}/{name}")})
    }
}

/// The rendered OpenAPI documents.
#[derive(Clone, Debug)]
pub(super) struct OpenApi {
    v2: Document,
    v3: Document,
    versions: Vec<(String, Document)>,
}

impl OpenApi {
    /// Renders the documents; `external` says whether external.metrics.k8s.io is served.
    pub(super) fn new(external: bool) -> Self {
        let all = Served::all(external);
        let versions: Vec<(String, Document)> = all
            .iter()
            .map(|served| (format!("apis/{}", served.group_version()), v3_document(*served)))
            .collect();
        let urls: Map<String, Value> = versions
            .iter()
            .map(|(path, document)| {
                let url = format!("/openapi/v3/{path}?hash={}", document.hash());
                (path.clone(), json!({"serverRelativeURL": url}))
            })
            .collect();
        Self {
            v2: v2_document(&all),
            v3: Document::json(&json!({"paths": urls})),
            versions,
        }
    }

    /// The document of `/openapi/v2`.
    pub(super) fn v2(&self) -> &Document {
        &self.v2
    }

    /// The document of `/openapi/v3`: the URLs of the other documents.
    pub(super) fn v3(&self) -> &Document {
        &self.v3
    }

    /// The answer to `/openapi/v3/apis/GROUP/VERSION`; `None` for a version that is not served. A request
    /// with the hash of another document, such as one from another release, gets the document too, but may
    /// not cache it. Other servers send a redirect in that case. Behind the aggregation layer a redirect
    /// would be an error, because that layer forwards none.
    pub(super) fn version(&self, path: &str, query: &str, request: &HeaderMap) -> Option<Response> {
        let (_, document) = self.versions.iter().find(|(of, _)| of == path)?;
        let hash = query.split('&').find_map(|pair| pair.strip_prefix("hash="));
        Some(document.answer_for_hash(request, hash))
    }
}

fn info() -> Value {
    json!({"title": "VoiceAssist metrics", "version": env!("CARGO_PKG_VERSION")})
}

fn v2_document(all: &[Served]) -> Document {
    let paths = all.iter().flat_map(|served| paths::of(*served, Dialect::V2));
    let definitions = all.iter().flat_map(|served| schemas::of(*served, Dialect::V2));
    Document::json(&json!({
        "swagger": "2.0",
        "info": info(),
        "paths": paths.collect::<Map<_, _>>(),
        "definitions": definitions.collect::<Map<_, _>>(),
    }))
}

fn v3_document(served: Served) -> Document {
    let paths: Map<String, Value> = paths::of(served, Dialect::V3).into_iter().collect();
    let schemas: Map<String, Value> = schemas::of(served, Dialect::V3).into_iter().collect();
    Document::json(&json!({
        "openapi": "3.0.0",
        "info": info(),
        "paths": paths,
        "components": {"schemas": schemas},
    }))
}

#[cfg(test)]
mod tests;
