//! The schema in a form that is quick to check against. It is read once.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

/// One node of the schema.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    pub(super) properties: BTreeMap<String, Node>,
    pub(super) required: Vec<String>,
    pub(super) values: Option<Box<Node>>,
    pub(super) items: Option<Box<Node>>,
    pub(super) unique: Unique,
    pub(super) allowed: Option<Vec<Value>>,
    pub(super) pattern: Option<Regex>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    /// Smallest and largest size: characters of a string, items of a list, or properties of an object.
    pub(super) size: (usize, Option<usize>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    IntOrString,
    NumberOrString,
}

/// What must be unique in a list: nothing, the items, or one field of each item.
#[derive(Debug, Default)]
pub(super) enum Unique {
    #[default]
    No,
    Value,
    Key(String),
}

impl Node {
    pub(super) fn read(schema: &Value) -> Self {
        let size = |name: &str| {
            schema
                .get(name)
                .and_then(Value::as_u64)
                .and_then(|size| usize::try_from(size).ok())
        };
        let kind = Kind::read(schema);
        // JSON Schema has one pair of keywords per type. A value has one type, so one pair of numbers is
        // enough.
        let (least, most) = match kind {
            Kind::Array => ("minItems", "maxItems"),
            Kind::Object => ("minProperties", "maxProperties"),
            _ => ("minLength", "maxLength"),
        };
        Self {
            kind,
            nullable: schema.get("nullable") == Some(&Value::Bool(true)),
            properties: schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), Self::read(schema)))
                .collect(),
            required: strings(schema.get("required")),
            values: schema
                .get("additionalProperties")
                .filter(|schema| schema.is_object())
                .map(|s| Box::new(Self::read(s))),
            items: schema.get("items").map(|schema| Box::new(Self::read(schema))),
            unique: Unique::read(schema),
            allowed: schema.get("enum").and_then(Value::as_array).cloned(),
            pattern: schema
                .get("pattern")
                .and_then(Value::as_str)
                .and_then(|pattern| Regex::new(pattern).ok()),
            minimum: schema.get("minimum").and_then(Value::as_f64),
            maximum: schema.get("maximum").and_then(Value::as_f64),
            size: (size(least).unwrap_or(0), size(most)),
        }
    }
}

impl Kind {
    fn read(schema: &Value) -> Self {
        if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
            return Self::IntOrString;
        }
        if strings(schema.get("type")) == ["number", "string"] {
            return Self::NumberOrString;
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => Self::Object,
            Some("array") => Self::Array,
            Some("string") => Self::String,
            Some("integer") => Self::Integer,
            Some("number") => Self::Number,
            Some("boolean") => Self::Boolean,
            _ => Self::Any,
        }
    }

    pub(super) fn admits(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::String => value.is_string(),
            Self::Integer => is_integer(value),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::IntOrString => value.is_string() || is_integer(value),
            Self::NumberOrString => value.is_string() || value.is_number(),
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Object => "a mapping",
            Self::Array => "a list",
            Self::String => "a string",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::IntOrString => "a whole number or a string",
            Self::NumberOrString => "a number or a string",
        }
    }
}

impl Unique {
    fn read(schema: &Value) -> Self {
        match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
            Some("set") => Self::Value,
            Some("map") => strings(schema.get("x-kubernetes-list-map-keys"))
                .into_iter()
                .next()
                .map_or(Self::No, Self::Key),
            _ => Self::No,
        }
    }
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

fn strings(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}
