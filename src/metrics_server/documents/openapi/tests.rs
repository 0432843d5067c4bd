use axum::http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
};

use super::*;
use crate::metrics::{
    path::Version,
    payload::{DescribedObject, ExternalValue, MetricValue, render, render_external},
};

/// Every `$ref` in a document.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            own.into_iter()
                .chain(fields.values().flat_map(references))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn v3(served: Served) -> Value {
    v3_document(served).parsed()
}

#[test]
fn every_reference_of_a_document_leads_to_a_definition_in_it() {
    let documents = Served::all(true).into_iter().map(v3);
    for document in documents.chain([v2_document(&Served::all(true)).parsed::<Value>()]) {
        let references = references(&document);
        assert!(!references.is_empty());
        for reference in references {
            // Names of definitions contain dots, which have no meaning in a JSON pointer.
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}

#[test]
fn every_variable_of_a_path_is_declared_and_required() {
    let document: Value = v2_document(&Served::all(true)).parsed();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(
        paths.len(),
        8,
        "two for each version of custom metrics, one and three listed ones of external metrics"
    );
    let operations: std::collections::BTreeSet<String> = paths
        .values()
        .map(|item| item["get"]["operationId"].to_string())
        .collect();
    assert_eq!(operations.len(), paths.len(), "each has a name of its own");
    for (path, item) in paths {
        let variables: Vec<&str> = path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let parameters = item["parameters"].as_array().unwrap();
        let declared: Vec<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path" && parameter["required"] == true)
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert_eq!(declared, variables, "{path}");
    }
}

#[test]
fn each_kind_that_is_served_is_found_by_group_version_and_kind() {
    for served in Served::all(true) {
        let document = v3(served);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for kind in [served.list_kind(), served.list_kind().trim_end_matches("List")] {
            let wanted = json!([{"group": served.group(), "version": served.version(), "kind": kind}]);
            let found = schemas
                .values()
                .filter(|schema| schema["x-kubernetes-group-version-kind"] == wanted);
            assert_eq!(found.count(), 1, "{wanted}");
        }
    }
}

/// Whether each field of an object is described, and each required one is there.
fn follows(document: &Value, schema: &Value, value: &Value) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    };
    match (schema["type"].as_str().unwrap(), value) {
        ("object", Value::Object(fields)) => {
            for required in schema["required"].as_array().into_iter().flatten() {
                assert!(
                    fields.contains_key(required.as_str().unwrap()),
                    "{required} in {value}"
                );
            }
            for (name, field) in fields {
                let known = match &schema["additionalProperties"] {
                    Value::Null => &schema["properties"][name],
                    any => any,
                };
                assert!(known.is_object(), "{name} is not described");
                follows(document, known, field);
            }
        }
        ("array", Value::Array(items)) => {
            for item in items {
                follows(document, &schema["items"], item);
            }
        }
        ("object", Value::Null) | ("string", Value::String(_)) | ("integer", Value::Number(_)) => {}
        (wanted, other) => panic!("{other} is no {wanted}"),
    }
}

#[test]
fn what_is_sent_is_what_is_described() {
    let value = MetricValue {
        object: DescribedObject {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: Some("ns".to_owned()),
            name: "p".to_owned(),
        },
        metric: "rate".to_owned(),
        timestamp: jiff::Timestamp::UNIX_EPOCH,
        window: Some(std::time::Duration::from_mins(1)),
        value: "1".to_owned(),
    };
    for version in Version::ALL {
        let served = Served::Custom(version);
        let list: Value = serde_json::from_slice(&render(version, std::slice::from_ref(&value))).unwrap();
        let reference = Dialect::V3.reference(&schemas::list_name(served));
        follows(&v3(served), &reference, &list);
    }
    let value = ExternalValue {
        metric: "depth".to_owned(),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        timestamp: jiff::Timestamp::UNIX_EPOCH,
        value: "1".to_owned(),
    };
    let list: Value = serde_json::from_slice(&render_external(&value)).unwrap();
    let reference = Dialect::V3.reference(&schemas::list_name(Served::External));
    follows(&v3(Served::External), &reference, &list);
}

#[test]
fn the_hash_in_the_list_gets_a_document_to_keep_and_any_other_the_document_alone() {
    let openapi = OpenApi::new(true);
    let root: Value = openapi.v3().parsed();
    let paths = root["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 3);
    for (path, entry) in paths {
        let url = entry["serverRelativeURL"].as_str().unwrap();
        let (location, query) = url.split_once('?').unwrap();
        assert_eq!(location, format!("/openapi/v3/{path}"));
        let none = HeaderMap::new();
        let kept = openapi.version(path, query, &none).unwrap();
        assert_eq!(kept.status(), StatusCode::OK);
        assert!(kept.headers().contains_key(CACHE_CONTROL));
        for query in ["", "hash=0123", "timeout=32s"] {
            let answer = openapi.version(path, query, &none).unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{query}");
            assert!(!answer.headers().contains_key(CACHE_CONTROL), "{query}");
        }
        let etag: HeaderValue = kept.headers()[ETAG].clone();
        let again = HeaderMap::from_iter([(IF_NONE_MATCH, etag)]);
        let unchanged = openapi.version(path, "", &again).unwrap();
        assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    }
    assert!(openapi.version("apis/apps/v1", "", &HeaderMap::new()).is_none());
    let custom_only = OpenApi::new(false);
    let external = "apis/external.metrics.k8s.io/v1beta1";
    assert!(custom_only.version(external, "", &HeaderMap::new()).is_none());
}
