//! OpenAPI documents: what the answers of this server look like, for `kubectl`, generated clients and the API
//! server, which downloads them every minute, merges them with its own, and logs an error for each that is missing.
//!
//! Every definition belongs to one version of one group and refers to no common type: the API server renames
//! what two servers define differently, and common types differ from one release of Kubernetes to the next.

mod paths;
mod schemas;

use axum::{http::HeaderMap, response::Response};
use serde_json::{Map, Value, json};

use super::{cached::Document, served::Served};

/// In which of its two languages a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// Swagger 2.0: one document for everything.
    V2,
    /// OpenAPI 3.0: one document for each version of each group.
    V3,
}

impl Dialect {
    /// Points to a definition of the same document.
    fn reference(self, name: &str) -> Value {
        let place = match self {
            Self::V2 => "definitions",
            Self::V3 => "components/schemas",
        };
        json!({"$ref": format!("#/{place}/{name}")})
    }
}

/// The rendered documents.
#[derive(Clone, Debug)]
pub struct OpenApi {
    v2: Document,
    v3: Document,
    versions: Vec<(String, Document)>,
}

impl OpenApi {
    /// Renders the documents; `external` says whether external.metrics.k8s.io is served.
    pub fn new(external: bool) -> Self {
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

    /// `/openapi/v2`.
    pub fn v2(&self) -> &Document {
        &self.v2
    }

    /// `/openapi/v3`: where the documents are.
    pub fn v3(&self) -> &Document {
        &self.v3
    }

    /// `/openapi/v3/apis/GROUP/VERSION`; none of a version that is not served. A hash that is not that of
    /// the document, such as one that another release gave out, gets the document too, but not to keep: the
    /// redirect that other servers send is an error behind the aggregation layer, which forwards none.
    pub fn version(&self, path: &str, query: &str, request: &HeaderMap) -> Option<Response> {
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
