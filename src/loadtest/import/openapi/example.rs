//! Examples in an `OpenAPI` document: of a parameter, a media type or a schema.

use serde_json::{Map, Value};

/// Most references and levels that are followed, so that a circle of references ends.
const DEPTH: usize = 32;
/// Most schemas that are looked at for one example.
const MOST: usize = 10_000;

/// A document, for its references.
#[derive(Clone, Copy)]
pub(super) struct Document<'a>(pub &'a Value);

impl<'a> Document<'a> {
    /// What a value refers to with `$ref`, else the value itself; `None` when the reference leads out of the
    /// document or in a circle.
    pub(super) fn resolve(self, value: &'a Value) -> Option<&'a Value> {
        let mut value = value;
        for _ in 0..DEPTH {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return Some(value);
            };
            value = self.0.pointer(reference.strip_prefix('#')?)?;
        }
        None
    }
}

/// The example of a parameter as text; `None` without one.
pub(super) fn example(document: Document<'_>, parameter: &Value) -> Option<String> {
    let value = value(document, parameter)?;
    match value {
        Value::Array(items) => Some(items.iter().map(plain).collect::<Vec<_>>().join(",")),
        Value::Object(_) => None,
        other => Some(plain(&other)),
    }
}

/// The value as text, a string without its quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The example of a parameter, of a media type, or of the schema in it; `None` without one.
pub(super) fn value(document: Document<'_>, of: &Value) -> Option<Value> {
    let of = document.resolve(of)?;
    if let Some(found) = given(document, of) {
        return Some(found);
    }
    let mut search = Search {
        document,
        references: Vec::new(),
        left: MOST,
    };
    // Parameters of Swagger 2.0 have the fields of a schema themselves.
    search.schema(of.get("schema").unwrap_or(of))
}

/// What an object names as its example.
fn given(document: Document<'_>, of: &Value) -> Option<Value> {
    if let Some(example) = of.get("example").or_else(|| of.get("x-example")) {
        return Some(example.clone());
    }
    match of.get("examples") {
        // Named examples of a parameter or a media type.
        Some(Value::Object(named)) => named
            .values()
            .find_map(|one| document.resolve(one)?.get("value").cloned()),
        // Examples of a schema of OpenAPI 3.1.
        Some(Value::Array(list)) => list.first().cloned(),
        _ => None,
    }
}

/// A search for the example of one schema.
struct Search<'a> {
    document: Document<'a>,
    /// References that led to the schema that is looked at. A schema that contains itself has no example there.
    references: Vec<String>,
    /// How many more schemas may be looked at. References can make a small document a large tree.
    left: usize,
}

impl Search<'_> {
    /// The example of a schema, or of the schema that it refers to.
    fn schema(&mut self, schema: &Value) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return self.plain_schema(schema);
        };
        if self.references.iter().any(|seen| seen == reference) || self.references.len() > DEPTH {
            return None;
        }
        let schema = self.document.0.pointer(reference.strip_prefix('#')?)?;
        self.references.push(reference.to_owned());
        let found = self.schema(schema);
        self.references.pop();
        found
    }

    /// A schema's own example, its default, its first allowed value, or those of its parts put together.
    fn plain_schema(&mut self, schema: &Value) -> Option<Value> {
        if let Some(found) = given(self.document, schema) {
            return Some(found);
        }
        let own = ["default", "const"].iter().find_map(|key| schema.get(key));
        if let Some(found) = own.or_else(|| schema.pointer("/enum/0")) {
            return Some(found.clone());
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let mut all = Map::new();
            for part in parts {
                if let Value::Object(fields) = self.schema(part)? {
                    all.extend(fields);
                }
            }
            return Some(Value::Object(all));
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(parts) = schema.get(key).and_then(Value::as_array) {
                return parts.iter().find_map(|part| self.schema(part));
            }
        }
        match schema.get("items") {
            Some(items) => Some(Value::Array(vec![self.schema(items)?])),
            None => self.object(schema),
        }
    }

    /// An object of the required properties, each of which needs an example, and of the others that have one.
    fn object(&mut self, schema: &Value) -> Option<Value> {
        let properties = schema.get("properties")?.as_object()?;
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|list| list.iter().any(|one| one == name));
        let mut all = Map::new();
        for (name, property) in properties {
            if property.get("readOnly") == Some(&Value::Bool(true)) {
                continue;
            }
            match self.schema(property) {
                Some(value) => {
                    all.insert(name.clone(), value);
                }
                None if is_required(name) => return None,
                None => {}
            }
        }
        (!all.is_empty()).then_some(Value::Object(all))
    }
}
