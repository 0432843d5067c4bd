//! The paths of reads: one for each way to address a metric. Of a document, the API server keeps only what is
//! under `/apis/GROUP/VERSION/`, and the definitions that are used there.

use serde_json::{Value, json};

use super::{Dialect, schemas};
use crate::documents::served::Served;

/// The variable segments of paths, with their descriptions.
const SEGMENTS: [(&str, &str); 4] = [
    ("namespace", "Namespace of the metric."),
    (
        "resource",
        "What is described: pods, or RESOURCE.GROUP such as deployments.apps.",
    ),
    (
        "name",
        "Name of the described object; * for all that labelSelector selects.",
    ),
    ("metric", "Name of the metric."),
];

/// All paths of one version.
pub(super) fn of(served: Served, dialect: Dialect) -> Vec<(String, Value)> {
    let path = |rest: &str, about: &str, description: &str| {
        let read = read(served, dialect, rest, about, description);
        (format!("/apis/{}/{rest}", served.group_version()), read)
    };
    match served {
        Served::Custom(_) => vec![
            path(
                "namespaces/{namespace}/{resource}/{name}/{metric}",
                "object",
                "Reads a metric of pods or of another object in a namespace.",
            ),
            path(
                "namespaces/{namespace}/metrics/{metric}",
                "namespace",
                "Reads a metric that describes the namespace itself.",
            ),
        ],
        // `kubectl explain` looks up the paths with the names that discovery lists.
        Served::External => [("{metric}", "external")]
            .into_iter()
            .chain(served.undescribed().iter().map(|name| (*name, *name)))
            .map(|(metric, about)| {
                path(
                    &format!("namespaces/{{namespace}}/{metric}"),
                    about,
                    "Reads a metric that describes no Kubernetes object.",
                )
            })
            .collect(),
    }
}

fn read(served: Served, dialect: Dialect, path: &str, about: &str, description: &str) -> Value {
    let segments = SEGMENTS
        .iter()
        .filter(|(name, _)| path.contains(&format!("{{{name}}}")))
        .map(|(name, description)| parameter(dialect, "path", name, description));
    let list = dialect.reference(&schemas::list_name(served));
    let answer = match dialect {
        Dialect::V2 => json!({"description": "OK", "schema": list}),
        Dialect::V3 => json!({"description": "OK", "content": {"application/json": {"schema": list}}}),
    };
    let mut operation = json!({
        "operationId": format!("read-{about}-metric-{}", served.version()),
        "description": description,
        "tags": [served.group_version()],
        "parameters": queries(served, dialect),
        "responses": {"200": answer},
        "x-kubernetes-group-version-kind":
            {"group": served.group(), "version": served.version(), "kind": served.list_kind()},
    });
    if let (Dialect::V2, Some(fields)) = (dialect, operation.as_object_mut()) {
        fields.insert("produces".to_owned(), json!(["application/json"]));
    }
    json!({"get": operation, "parameters": segments.collect::<Vec<_>>()})
}

fn queries(served: Served, dialect: Dialect) -> Vec<Value> {
    let query = |name, description| parameter(dialect, "query", name, description);
    match served {
        Served::Custom(_) => vec![
            query("labelSelector", "Selects the described objects by their labels."),
            query(
                "metricLabelSelector",
                "Selects the metric where several have its name.",
            ),
        ],
        Served::External => vec![query(
            "labelSelector",
            "Selects the metric where several have its name.",
        )],
    }
}

fn parameter(dialect: Dialect, place: &str, name: &str, description: &str) -> Value {
    let mut parameter = json!({"name": name, "in": place, "description": description});
    if let Some(fields) = parameter.as_object_mut() {
        if place == "path" {
            fields.insert("required".to_owned(), json!(true));
        }
        match dialect {
            Dialect::V2 => fields.insert("type".to_owned(), json!("string")),
            Dialect::V3 => fields.insert("schema".to_owned(), json!({"type": "string"})),
        };
    }
    parameter
}
