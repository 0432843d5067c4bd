//! The schemas of answers, under the names that the Go packages of `k8s.io/metrics` give them.

use serde_json::{Value, json};

use super::Dialect;
use crate::{documents::served::Served, metrics::path::Version};

/// All definitions of one version, by name.
pub(super) fn of(served: Served, dialect: Dialect) -> Vec<(String, Value)> {
    let item = match served {
        Served::Custom(version) => metric_value(version),
        Served::External => external_metric_value(),
    };
    vec![
        (list_name(served), list(served, dialect)),
        (item_name(served), with_kind(served, item_kind(served), item)),
    ]
}

/// Name of the definition of the list that every read returns.
pub(super) fn list_name(served: Served) -> String {
    format!("{}List", item_name(served))
}

fn item_name(served: Served) -> String {
    let package = match served {
        Served::Custom(_) => "custom_metrics",
        Served::External => "external_metrics",
    };
    let (version, kind) = (served.version(), item_kind(served));
    format!("io.k8s.metrics.pkg.apis.{package}.{version}.{kind}")
}

fn item_kind(served: Served) -> &'static str {
    served.list_kind().trim_end_matches("List")
}

fn list(served: Served, dialect: Dialect) -> Value {
    let items = json!({
        "type": "array",
        "description": "One value for each object that has one; of what is one number, exactly one.",
        "items": dialect.reference(&item_name(served)),
    });
    let list = object(
        "The values of one metric.",
        &["items"],
        json!({
            "apiVersion": string(&format!("Always {}.", served.group_version())),
            "kind": string(&format!("Always {}.", served.list_kind())),
            "metadata": {"type": "object", "description": "Always empty: values have no history to page through."},
            "items": items,
        }),
    );
    with_kind(served, served.list_kind(), list)
}

fn metric_value(version: Version) -> Value {
    let described = object(
        "The object that the value describes.",
        &["kind", "name"],
        json!({
            "apiVersion": string("API group and version of the object."),
            "kind": string("Kind of the object, such as Pod."),
            "namespace": string("Namespace of the object, if it is in one."),
            "name": string("Name of the object."),
        }),
    );
    let selector =
        json!({"type": "object", "description": "Always null: the selector of the request is not repeated."});
    let name = string("Name of the metric, which is that of its entry in the VoiceAssistScaling.");
    match version {
        Version::V1Beta1 => object(
            "The value of a metric for one object.",
            &["describedObject", "metricName", "timestamp", "value"],
            json!({
                "describedObject": described,
                "metricName": name,
                "selector": selector,
                "timestamp": timestamp(),
                "window": window(),
                "value": quantity(),
            }),
        ),
        Version::V1Beta2 => object(
            "The value of a metric for one object.",
            &["describedObject", "metric", "timestamp", "value"],
            json!({
                "describedObject": described,
                "metric": object("Which metric it is.", &["name"], json!({"name": name, "selector": selector})),
                "timestamp": timestamp(),
                "windowSeconds": window(),
                "value": quantity(),
            }),
        ),
    }
}

fn external_metric_value() -> Value {
    object(
        "The value of a metric that describes no object.",
        &["metricName", "metricLabels", "timestamp", "value"],
        json!({
            "metricName": string("Name of the metric, which is that of its entry in the VoiceAssistScaling."),
            "metricLabels": {
                "type": "object",
                "description": "Labels that tell the metric from others of its name.",
                "additionalProperties": {"type": "string"},
            },
            "timestamp": timestamp(),
            "window": window(),
            "value": quantity(),
        }),
    )
}

fn timestamp() -> Value {
    json!({"type": "string", "format": "date-time", "description": "When the value was sampled."})
}

fn window() -> Value {
    json!({
        "type": "integer",
        "format": "int64",
        "description": "Seconds up to the timestamp over which a rate was computed; absent where the value is no rate.",
    })
}

fn quantity() -> Value {
    string("The value as a quantity of Kubernetes, such as 12 or 850m.")
}

fn string(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

#[expect(clippy::needless_pass_by_value, reason = "it is written in place")]
fn object(description: &str, required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "description": description, "required": required, "properties": properties})
}

/// Adds the kind of a definition, so that clients can find the definition by its kind.
fn with_kind(served: Served, kind: &str, mut definition: Value) -> Value {
    if let Some(fields) = definition.as_object_mut() {
        let kind = json!([{"group": served.group(), "version": served.version(), "kind": kind}]);
        fields.insert("x-kubernetes-group-version-kind".to_owned(), kind);
    }
    definition
}
