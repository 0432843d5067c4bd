//! The JSON schema of scenario files, made from the types of [`super::document`]. It is published for
//! editors. When a file is read it is checked first, because the check finds all unknown fields and wrong
//! types at once.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{document::Document, problem::Problem};
use vas_core::document::schema::{Breach, Checker, SchemaViolation, Vocabulary};

/// The schema as it is published (JSON Schema 2020-12).
pub fn published() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), "Scenario of vas test".into());
    schema.to_value()
}

// Durations of scenarios have a notation of their own, so hints for those of Kubernetes would be wrong.
static CHECKER: LazyLock<Checker> = LazyLock::new(|| Checker::of::<Document>(Vocabulary::Other));

/// Unknown fields, missing ones and wrong types, each with its path.
pub(super) fn check(document: &Value) -> Vec<Problem> {
    let problems = CHECKER.check(document).into_iter().map(|violation| {
        let path = violation.path();
        Problem {
            path: if path.is_empty() {
                "the document".to_owned()
            } else {
                path
            },
            rule: if is_clear_without(&violation) {
                violation.rule
            } else {
                format!("{} {}", violation.value, violation.rule)
            },
        }
    });
    problems.collect()
}

/// Whether the message is clear without the value: a whole object or list says too much, and `null` nothing.
fn is_clear_without(violation: &SchemaViolation) -> bool {
    violation.value.starts_with(['{', '['])
        || violation.value == "null"
        || violation.breach == Breach::Unknown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(document: &Value) -> Vec<String> {
        check(document).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_wrong_type_and_unknown_field_is_told_at_once() {
        let document = json!({
            "load": {"user": [{"duration": 60, "at": "5"}], "rate": [{"at": true}]},
            "timeout": 5,
            "journeys": [{"name": "a", "weight": -1, "steps": [{"get": "/", "onse": true}, {"websocket": {"path": "/"}}]}, {"steps": {}}],
        });
        assert_eq!(
            told(&document),
            [
                "journeys[0].steps[0].onse: unknown field; did you mean once?",
                "journeys[0].steps[1].websocket.hold: is required",
                "journeys[0].weight: -1 must be at least 0",
                "journeys[1].name: is required",
                "journeys[1].steps: must be a list",
                "load.rate[0].at: true must be a number",
                "load.user: unknown field; did you mean users?",
                "timeout: 5 must be a string",
            ]
        );
    }

    #[test]
    fn what_is_no_mapping_is_no_scenario() {
        assert_eq!(told(&json!([1])), ["the document: must be a mapping"]);
    }

    #[test]
    fn the_published_schema_teaches_every_field_and_admits_no_other() {
        fn walk(place: &str, schema: &Value, found: &mut Vec<String>) {
            if schema["type"] == "object" && schema["additionalProperties"].is_null() {
                found.push(format!("{place} admits unknown fields"));
            }
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if property["description"].is_null() {
                    found.push(format!("{place}.{name} is not described"));
                }
            }
            for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
                walk(name, definition, found);
            }
        }
        let mut found = Vec::new();
        walk("Document", &published(), &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }
}
