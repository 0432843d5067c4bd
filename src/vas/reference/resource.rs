//! The reference of the resource, from the schema in its definition.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::cell;

/// Objects that are already on the page: the schema without its description, and where it is.
type Known = Vec<(Value, String)>;

/// The page for a CustomResourceDefinition.
pub(super) fn page(crd: &Value) -> String {
    let mut page = String::from(
        "# VoiceAssistScaling\n\n`scaling.voiceassist.io/v1alpha1`; `kubectl explain vas.spec --recursive` shows the same in a cluster. \
         Each table is an object, named by its path; `[]` is each item of a list. Fields in bold are required.\n",
    );
    let schema = crd.pointer("/spec/versions/0/schema/openAPIV3Schema");
    let mut known = Known::new();
    for part in ["spec", "status"] {
        if let Some(schema) = schema.and_then(|schema| schema.pointer(&format!("/properties/{part}"))) {
            object(&mut page, &mut known, part, schema);
        }
    }
    page
}

/// Adds the object at a path, and then the objects inside it.
fn object(page: &mut String, known: &mut Known, path: &str, schema: &Value) {
    known.push((bare(schema), path.to_owned()));
    // Writing to a String cannot fail.
    let _ = write!(page, "\n## {path}\n\n");
    if let Some(text) = schema.get("description").and_then(Value::as_str) {
        let _ = write!(page, "{text}\n\n");
    }
    let _ = writeln!(page, "| field | type | meaning |\n| --- | --- | --- |");
    let required: Vec<&str> = strings(schema.get("required"));
    let mut inner = Vec::new();
    for (name, field) in properties(schema) {
        let (item, path) = unlisted(field, format!("{path}.{name}"));
        let mut meaning = text(field).to_owned();
        if !properties(item).is_empty() {
            match known.iter().find(|(schema, _)| *schema == bare(item)) {
                Some((_, place)) => {
                    let _ = write!(meaning, " The fields are those of [{place}](#{}).", anchor(place));
                }
                None => inner.push((path, item)),
            }
        }
        let shown = if required.contains(&name.as_str()) {
            format!("**{name}**")
        } else {
            name.clone()
        };
        let _ = writeln!(page, "| {shown} | {} | {} |", cell(&kind(field)), cell(&meaning));
    }
    rules(page, schema);
    for (path, schema) in inner {
        // A sibling may have brought the same object meanwhile.
        if !known
            .iter()
            .any(|(schema_known, _)| *schema_known == bare(schema))
        {
            object(page, known, &path, schema);
        }
    }
}

/// Adds the rules that the API server checks, by their messages.
fn rules(page: &mut String, schema: &Value) {
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
    let messages: Vec<&str> = rules
        .into_iter()
        .flatten()
        .filter_map(|rule| rule.get("message").and_then(Value::as_str))
        .collect();
    if !messages.is_empty() {
        let _ = writeln!(page, "\nRules:\n");
    }
    for message in messages {
        let _ = writeln!(page, "- {}", cell(message));
    }
}

/// The schema of one item of a list, and its path; of anything else the schema itself.
fn unlisted(schema: &Value, path: String) -> (&Value, String) {
    match schema.get("items") {
        Some(items) => (items, format!("{path}[]")),
        None => (schema, path),
    }
}

/// Type and bounds in words, such as `string, 1 to 63 characters`.
fn kind(schema: &Value) -> String {
    let name = schema.get("type").and_then(Value::as_str);
    let mut words = match (name, schema.get("items")) {
        (_, Some(items)) => format!(
            "list of {}",
            items.get("type").and_then(Value::as_str).unwrap_or("any")
        ),
        (Some(name), None) => name.to_owned(),
        (None, None) => "integer or string".to_owned(),
    };
    let allowed = strings(schema.get("enum"));
    if !allowed.is_empty() {
        let _ = write!(words, ": {}", allowed.join(", "));
    }
    for (least, most, unit) in [
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
        ("minProperties", "maxProperties", " entries"),
        ("minimum", "maximum", ""),
    ] {
        match (number(schema, least), number(schema, most)) {
            (Some(least), Some(most)) => drop(write!(words, ", {least} to {most}{unit}")),
            (Some(least), None) => drop(write!(words, ", at least {least}{unit}")),
            (None, Some(most)) => drop(write!(words, ", at most {most}{unit}")),
            (None, None) => {}
        }
    }
    if let Some(default) = schema.get("default") {
        let _ = write!(words, ", default {default}");
    }
    words
}

fn number(schema: &Value, name: &str) -> Option<f64> {
    schema.get(name).and_then(Value::as_f64)
}

fn text(schema: &Value) -> &str {
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn strings(list: Option<&Value>) -> Vec<&str> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

fn properties(schema: &Value) -> Vec<(&String, &Value)> {
    let fields = schema.get("properties").and_then(Value::as_object);
    fields.map(Map::iter).into_iter().flatten().collect()
}

/// The schema without its description, by which equal objects are known.
fn bare(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("description");
    }
    schema
}

/// The anchor that Markdown makes of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|char| char.is_alphanumeric() || *char == '-');
    kept.collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_shown_once_with_bounds_rules_and_required_fields() {
        let item = |description: &str| {
            json!({"type": "object", "description": description, "required": ["name"],
                "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 63, "description": "Its\nname | word."}},
                "x-kubernetes-validations": [{"rule": "x", "message": "no x"}]})
        };
        let spec = json!({"type": "object", "properties": {
            "first": {"type": "array", "maxItems": 2, "items": item("one")},
            "second": item("another"),
        }});
        let crd =
            json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": {"properties": {"spec": spec}}}}]}});
        let page = page(&crd);
        for part in [
            "| first | list of object, at most 2 items |  |",
            "| **name** | string, 1 to 63 characters | Its name \\| word. |",
            "## spec.first[]\n\none\n",
            "Rules:\n\n- no x\n",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
        assert!(!page.contains("## spec.second"), "{page}");
    }
}
