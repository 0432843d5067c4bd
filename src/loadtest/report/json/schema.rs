//! The JSON schema of reports, made from the types of the document and published for programs that read
//! reports.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::document::Document;

/// The published schema (JSON Schema 2020-12). It describes reports as they are written: every field is
/// there, even if `null`.
pub fn published() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), "Report of vas test".into());
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{example, json::render, testing};
    use vas_core::document::schema::{Checker, Vocabulary};

    /// Reports with and without every optional part.
    fn documents() -> Vec<Value> {
        let mut voice = example::autoscaling();
        voice.measured.websocket = Some(example::websockets());
        let reports = [voice, example::nothing(), testing::passing(), testing::failing()];
        let value = |report| serde_json::from_str(&render(&report).unwrap()).unwrap();
        reports.map(value).to_vec()
    }

    #[test]
    fn rendered_reports_have_the_types_of_the_schema_and_no_other_field() {
        let checker = Checker::of::<Document>(Vocabulary::Other);
        for mut document in documents() {
            assert_eq!(checker.check(&document), []);
            document["workloads"] = 5.into();
            document["more"] = 5.into();
            assert_eq!(checker.check(&document).len(), 2, "the check can fail");
        }
    }

    /// Fields that the schema requires at `place` and the report lacks, and fields of the report that the
    /// schema lacks.
    fn missing(schema: &Value, root: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            return missing(root.pointer(&name[1..]).unwrap(), root, value, place, found);
        }
        let not_null = schema["anyOf"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|one| one["type"] != "null");
        if let Some(one) = not_null {
            if !value.is_null() {
                missing(one, root, value, place, found);
            }
            return;
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            if value.get(name.as_str().unwrap()).is_none() {
                found.push(format!("{place}.{name} is missing"));
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if property["description"].is_null() {
                found.push(format!("{place}.{name} is not described"));
            }
            missing(property, root, &value[name], &format!("{place}.{name}"), found);
        }
        for item in value.as_array().into_iter().flatten() {
            missing(&schema["items"], root, item, &format!("{place}[]"), found);
        }
        if schema["additionalProperties"].is_object() {
            for (name, inner) in value.as_object().into_iter().flatten() {
                missing(
                    &schema["additionalProperties"],
                    root,
                    inner,
                    &format!("{place}.{name}"),
                    found,
                );
            }
        }
    }

    #[test]
    fn what_the_schema_promises_is_in_every_report_and_described() {
        let schema = published();
        assert!(
            schema["required"]
                .as_array()
                .is_some_and(|required| required.len() > 12)
        );
        for document in documents() {
            let mut found = Vec::new();
            missing(&schema, &schema, &document, "", &mut found);
            assert!(found.is_empty(), "{found:#?}");
        }
        let mut found = Vec::new();
        missing(
            &schema,
            &schema,
            &serde_json::json!({"workloads": [{}]}),
            "",
            &mut found,
        );
        assert!(
            found.iter().any(|line| line.contains("replicas")),
            "the check can fail: {found:#?}"
        );
    }
}
