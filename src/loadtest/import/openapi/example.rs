//! Examples in an `OpenAPI` document: of a parameter, a media type or a schema.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Most references and levels that are followed, so that a circle of references ends.
const DEPTH: usize = 32;
/// Most schemas that are looked at for one example.
const MOST: usize = 10_000;
/// Greatest size of an example that is put together, about in bytes: 1 MiB.
const MOST_BYTES: usize = 1 << 20;

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
            value = self.at(reference)?;
        }
        None
    }

    /// What a reference names; `None` when it leads out of the document or nowhere.
    fn at(self, reference: &str) -> Option<&'a Value> {
        let pointer = percent_decode_str(reference.strip_prefix('#')?)
            .decode_utf8()
            .ok()?;
        self.0.pointer(&pointer)
    }
}

/// The example of a parameter as texts, several for an array; `None` without one.
pub(super) fn texts(document: Document<'_>, parameter: &Value) -> Option<Vec<String>> {
    match value(document, parameter)? {
        Value::Array(items) => Some(items.iter().map(plain).collect()),
        Value::Object(_) | Value::Null => None,
        other => Some(vec![plain(&other)]),
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
    let mut search = Search {
        document,
        references: Vec::new(),
        left: MOST,
        room: MOST_BYTES,
    };
    if let Some(found) = given(document, of) {
        return search.copy(found);
    }
    // Parameters of Swagger 2.0 have the fields of a schema themselves.
    search.schema(of.get("schema").unwrap_or(of))
}

/// What an object names as its example.
fn given<'a>(document: Document<'a>, of: &'a Value) -> Option<&'a Value> {
    if let Some(example) = of.get("example").or_else(|| of.get("x-example")) {
        return Some(example);
    }
    match of.get("examples") {
        // Named examples of a parameter or a media type.
        Some(Value::Object(named)) => named.values().find_map(|one| document.resolve(one)?.get("value")),
        // Examples of a schema of OpenAPI 3.1.
        Some(Value::Array(list)) => first(list),
        _ => None,
    }
}

/// The first value that is not null, where there is one.
fn first(list: &[Value]) -> Option<&Value> {
    list.iter().find(|value| !value.is_null()).or(list.first())
}

/// A search for the example of one schema.
struct Search<'a> {
    document: Document<'a>,
    /// References that led to the schema that is looked at. A schema that contains itself has no example there.
    references: Vec<String>,
    /// How many more schemas may be looked at. References can make a small document a large tree.
    left: usize,
    /// How many more bytes the example may have.
    room: usize,
}

impl Search<'_> {
    /// A copy of the value, if there is room for it.
    fn copy(&mut self, value: &Value) -> Option<Value> {
        self.take(value)?;
        Some(value.clone())
    }

    /// Takes the room of a value.
    fn take(&mut self, value: &Value) -> Option<()> {
        let own = match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().try_fold(0, |_, item| self.take(item).map(|()| 0))?,
            Value::Object(fields) => fields.iter().try_fold(0, |names, (name, field)| {
                self.take(field).map(|()| names + name.len())
            })?,
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        };
        self.room = self.room.checked_sub(own + 8)?;
        Some(())
    }

    /// The example of a schema, or of the schema that it refers to.
    fn schema(&mut self, schema: &Value) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return self.plain_schema(schema);
        };
        if self.references.iter().any(|seen| seen == reference) || self.references.len() > DEPTH {
            return None;
        }
        let schema = self.document.at(reference)?;
        self.references.push(reference.to_owned());
        let found = self.schema(schema);
        self.references.pop();
        found
    }

    /// A schema's own example, its default, its first allowed value, or those of its parts put together.
    fn plain_schema(&mut self, schema: &Value) -> Option<Value> {
        if let Some(found) = given(self.document, schema) {
            return self.copy(found);
        }
        let own = ["default", "const"].iter().find_map(|key| schema.get(key));
        let listed = || first(schema.get("enum")?.as_array()?);
        if let Some(found) = own.or_else(listed) {
            return self.copy(found);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.together(schema, parts);
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

    /// The examples of all parts of a schema, and of its own properties. A part that describes no value, such as
    /// a description, has none.
    fn together(&mut self, schema: &Value, parts: &[Value]) -> Option<Value> {
        const SHAPES: [&str; 6] = ["$ref", "allOf", "anyOf", "items", "oneOf", "properties"];
        let (mut all, mut other) = (Map::new(), None);
        let mut add = |found: Value| match found {
            Value::Object(fields) => all.extend(fields),
            value => other = Some(value),
        };
        for part in parts {
            match self.schema(part) {
                Some(found) => add(found),
                None if SHAPES.iter().any(|shape| part.get(shape).is_some()) => return None,
                None => {}
            }
        }
        if schema.get("properties").is_some() {
            add(self.object(schema)?);
        }
        if all.is_empty() {
            other
        } else {
            Some(Value::Object(all))
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
