//! Types, bounds, patterns and unique names, read from the CRD's own schema, so that no bound is spelled
//! twice.
//!
//! The API server has checked all this for a new object. It is checked again because a stored object may
//! be older than a bound, and because `vas validate` has no API server. Covers the part of structural
//! schemas that our CRD uses; its CEL rules are the other files of this folder.

use std::{collections::BTreeMap, fmt::Write as _, sync::LazyLock};

use regex::Regex;
use serde_json::Value;

use crate::{
    api::{
        schema::{DURATION_PATTERN, METRIC_PATTERN, NAME_PATTERN, PERCENT_PATTERN, QUANTITY_PATTERN},
        v1alpha1,
    },
    core::{
        duration::ParseDurationError, field_path::DisplayKey, int_or_percent::ParseShareError,
        quantity::ParseQuantityError,
    },
};

/// What the schema refuses in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaViolation {
    place: Vec<Step>,
    /// The value found there, as compact JSON.
    pub value: String,
    /// The rule, and the fix.
    pub rule: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Key(String),
    Index(usize),
}

/// One node of the schema.
#[derive(Debug, Default)]
struct Node {
    kind: Kind,
    nullable: bool,
    properties: BTreeMap<String, Node>,
    required: Vec<String>,
    values: Option<Box<Node>>,
    items: Option<Box<Node>>,
    unique: Unique,
    allowed: Option<Vec<Value>>,
    pattern: Option<Regex>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    /// Least and greatest length, items or properties, whichever the kind has.
    size: (usize, Option<usize>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    IntOrString,
}

/// How the items of a list are told apart.
#[derive(Debug, Default)]
enum Unique {
    #[default]
    No,
    Value,
    Key(String),
}

static SPEC: LazyLock<Node> = LazyLock::new(|| {
    v1alpha1::crd()
        .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
        .map(Node::read)
        .unwrap_or_default()
});

/// Checks a spec, unknown fields included.
pub fn check_spec(spec: &Value) -> Vec<SchemaViolation> {
    let mut found = Vec::new();
    SPEC.check(spec, &mut vec![Step::Field("spec".to_owned())], &mut found);
    found
}

impl SchemaViolation {
    /// Path from the root of the object.
    #[must_use]
    pub fn path(&self) -> String {
        let mut text = String::new();
        for step in &self.place {
            // Writing to a String cannot fail.
            let _ = match step {
                Step::Field(name) if text.is_empty() => write!(text, "{name}"),
                Step::Field(name) => write!(text, ".{name}"),
                Step::Key(key) => write!(text, "{}", DisplayKey(key)),
                Step::Index(index) => write!(text, "[{index}]"),
            };
        }
        text
    }

    /// Names of the environment and of the workload it stands in.
    #[must_use]
    pub fn place(&self, spec: &Value) -> (Option<String>, Option<String>) {
        let name_at =
            |list: Option<&Value>, index: usize| Some(list?.get(index)?.get("name")?.as_str()?.to_owned());
        let mut environment = None;
        let mut root = Some(spec);
        let mut rest = self.place.get(1..).unwrap_or_default();
        if let [Step::Field(field), Step::Index(index), inner @ ..] = rest
            && field == "environments"
        {
            environment = name_at(spec.get("environments"), *index);
            root = spec.get("environments").and_then(|list| list.get(index));
            rest = inner;
        }
        let workload = match rest {
            [Step::Field(field), Step::Index(index), ..] if field == "workloads" => {
                name_at(root.and_then(|root| root.get("workloads")), *index)
            }
            _ => None,
        };
        (environment, workload)
    }
}

impl Node {
    fn read(schema: &Value) -> Self {
        let size = |name: &str| {
            schema
                .get(name)
                .and_then(Value::as_u64)
                .and_then(|size| usize::try_from(size).ok())
        };
        let kind = Kind::read(schema);
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

    fn check(&self, value: &Value, place: &mut Vec<Step>, found: &mut Vec<SchemaViolation>) {
        if value.is_null() && self.nullable {
            return;
        }
        if let Some(rule) = self.rule_against(value) {
            found.push(SchemaViolation {
                place: place.clone(),
                value: value.to_string(),
                rule,
            });
            return;
        }
        match value {
            Value::Object(fields) => self.check_fields(fields, place, found),
            Value::Array(items) => self.check_items(items, place, found),
            _ => {}
        }
    }

    /// The rule that the value itself breaks, its insides apart.
    fn rule_against(&self, value: &Value) -> Option<String> {
        if !self.kind.admits(value) {
            return Some(format!("must be {}", self.kind.words()));
        }
        if let Some(allowed) = &self.allowed
            && !allowed.contains(value)
        {
            let words: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
            return Some(format!("must be one of {}", words.join(", ")));
        }
        let (least, most) = self.size;
        let (size, unit) = match value {
            Value::String(text) => (text.chars().count(), "characters"),
            Value::Array(items) => (items.len(), "entries"),
            Value::Object(fields) => (fields.len(), "entries"),
            Value::Number(number) => return self.bound_against(number.as_f64()?),
            Value::Null | Value::Bool(_) => return None,
        };
        if size < least {
            return Some(format!("must have at least {least} {unit}"));
        }
        if most.is_some_and(|most| size > most) {
            return Some(format!("must have at most {} {unit}", most.unwrap_or_default()));
        }
        let pattern = self.pattern.as_ref()?;
        let text = value.as_str()?;
        (!pattern.is_match(text)).then(|| pattern_words(pattern.as_str()))
    }

    fn bound_against(&self, number: f64) -> Option<String> {
        match (self.minimum, self.maximum) {
            (Some(minimum), _) if number < minimum => Some(format!("must be at least {minimum}")),
            (_, Some(maximum)) if number > maximum => Some(format!("must be at most {maximum}")),
            _ => None,
        }
    }

    fn check_fields(
        &self,
        fields: &serde_json::Map<String, Value>,
        place: &mut Vec<Step>,
        found: &mut Vec<SchemaViolation>,
    ) {
        for name in &self.required {
            if fields.get(name).is_none_or(Value::is_null) {
                place.push(Step::Field(name.clone()));
                found.push(SchemaViolation {
                    place: place.clone(),
                    value: Value::Null.to_string(),
                    rule: "is required".to_owned(),
                });
                place.pop();
            }
        }
        for (name, value) in fields {
            if let Some(node) = self.properties.get(name) {
                if !(value.is_null() && self.required.contains(name)) {
                    place.push(Step::Field(name.clone()));
                    node.check(value, place, found);
                    place.pop();
                }
            } else if let Some(node) = &self.values {
                place.push(Step::Key(name.clone()));
                node.check(value, place, found);
                place.pop();
            } else if self.kind == Kind::Object {
                place.push(Step::Field(name.clone()));
                found.push(SchemaViolation {
                    place: place.clone(),
                    value: value.to_string(),
                    rule: self.unknown_field(name),
                });
                place.pop();
            }
        }
    }

    fn unknown_field(&self, name: &str) -> String {
        unknown_field(name, self.properties.keys().map(String::as_str))
    }

    fn check_items(&self, items: &[Value], place: &mut Vec<Step>, found: &mut Vec<SchemaViolation>) {
        let identity = |item: &Value| match &self.unique {
            Unique::No => None,
            Unique::Value => Some(item.clone()),
            Unique::Key(key) => item.get(key).cloned(),
        };
        let mut seen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            place.push(Step::Index(index));
            if let Some(identity) = identity(item) {
                if seen.contains(&identity) {
                    found.push(SchemaViolation {
                        place: place.clone(),
                        value: identity.to_string(),
                        rule: "is there twice; names and values of a list are unique".to_owned(),
                    });
                }
                seen.push(identity);
            }
            if let Some(node) = &self.items {
                node.check(item, place, found);
            }
            place.pop();
        }
    }
}

impl Kind {
    fn read(schema: &Value) -> Self {
        if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
            return Self::IntOrString;
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

    fn admits(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::String => value.is_string(),
            Self::Integer => is_integer(value),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::IntOrString => value.is_string() || is_integer(value),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Object => "a mapping",
            Self::Array => "a list",
            Self::String => "a string",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::IntOrString => "a whole number or a string",
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

/// A pattern in words, where it has a name.
fn pattern_words(pattern: &str) -> String {
    match pattern {
        QUANTITY_PATTERN => ParseQuantityError::Malformed.to_string(),
        DURATION_PATTERN => ParseDurationError.to_string(),
        NAME_PATTERN => {
            "not a name: use lower-case letters, digits and -, a letter or digit first and last".to_owned()
        }
        METRIC_PATTERN => {
            "not a Prometheus metric name: use letters, digits, _ and :, not a digit first".to_owned()
        }
        PERCENT_PATTERN => ParseShareError.to_string(),
        _ => format!("must match {pattern}"),
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

/// The rule text for a field that does not exist, with the nearest that does.
pub fn unknown_field<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known
        .map(|known| (distance(name, known), known))
        .min()
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4);
    match nearest {
        Some((_, known)) => format!("unknown field; did you mean {known}?"),
        None => "unknown field; remove it".to_owned(),
    }
}

/// Levenshtein distance, letter case aside.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.to_lowercase().chars().enumerate() {
        let mut diagonal = index;
        let mut previous = index + 1;
        let mut next = vec![previous];
        for (above, other) in row.iter().skip(1).zip(&right) {
            previous = (diagonal + usize::from(letter != *other))
                .min(above + 1)
                .min(previous + 1);
            diagonal = *above;
            next.push(previous);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::validate::testing::base;

    /// Path and rule of each violation.
    fn check(change: impl FnOnce(&mut Value)) -> Vec<(String, String)> {
        let mut spec = base();
        change(&mut spec);
        check_spec(&spec)
            .into_iter()
            .map(|violation| (violation.path(), violation.rule))
            .collect()
    }

    fn one(path: &str, rule: &str) -> Vec<(String, String)> {
        vec![(path.to_owned(), rule.to_owned())]
    }

    #[test]
    fn a_valid_spec_has_no_violations() {
        assert_eq!(check(|_| {}), []);
    }

    #[test]
    fn every_pattern_of_the_schema_compiles() {
        fn patterns(schema: &Value, found: &mut Vec<String>) {
            match schema {
                Value::Object(fields) => {
                    found.extend(fields.get("pattern").and_then(Value::as_str).map(str::to_owned));
                    fields.values().for_each(|value| patterns(value, found));
                }
                Value::Array(items) => items.iter().for_each(|item| patterns(item, found)),
                _ => {}
            }
        }
        let crd = v1alpha1::crd();
        let mut found = Vec::new();
        patterns(&crd, &mut found);
        assert!(found.len() > 20, "{} patterns", found.len());
        for pattern in found {
            assert!(Regex::new(&pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn bounds_and_types_are_the_schemas() {
        assert_eq!(
            check(|spec| spec["workloads"][0]["maxReplicas"] = json!(10_001)),
            one("spec.workloads[0].maxReplicas", "must be at most 10000")
        );
        assert_eq!(
            check(|spec| spec["workloads"][0]["maxReplicas"] = json!("ten")),
            one("spec.workloads[0].maxReplicas", "must be a whole number")
        );
        assert_eq!(
            check(|spec| spec["workloads"] = json!([])),
            one("spec.workloads", "must have at least 1 entries")
        );
        assert_eq!(
            check(|spec| spec["workloads"][0]["vertical"] = json!({"updateMode": false})),
            one("spec.workloads[0].vertical.updateMode", "must be a string")
        );
        assert_eq!(
            check(|spec| spec["workloads"][0]["vertical"] = json!({"updateMode": "Auto"})),
            one(
                "spec.workloads[0].vertical.updateMode",
                "must be one of Off, Initial, Recreate, InPlaceOrRecreate"
            )
        );
    }

    #[test]
    fn a_required_field_is_missed_by_its_path() {
        let missing = one("spec.workloads[0].maxReplicas", "is required");
        assert_eq!(
            check(|spec| spec["workloads"][0]["maxReplicas"] = Value::Null),
            missing
        );
        assert_eq!(
            check(|spec| {
                spec["workloads"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("maxReplicas");
            }),
            missing
        );
    }

    #[test]
    fn an_unknown_field_names_the_nearest_known_one() {
        assert_eq!(
            check(|spec| spec["workloads"][0]["maxReplica"] = json!(1)),
            one(
                "spec.workloads[0].maxReplica",
                "unknown field; did you mean maxReplicas?"
            )
        );
        assert_eq!(
            check(|spec| spec["workloads"][0]["colour"] = json!(1)),
            one("spec.workloads[0].colour", "unknown field; remove it")
        );
    }

    #[test]
    fn names_are_unique() {
        let found = check(|spec| {
            let first = spec["workloads"][0]["metrics"][0].clone();
            spec["workloads"][0]["metrics"]
                .as_array_mut()
                .unwrap()
                .push(first);
        });
        assert_eq!(found[0].0, "spec.workloads[0].metrics[1]");
        assert!(found[0].1.contains("twice"), "{}", found[0].1);
    }

    #[test]
    fn an_explicit_null_is_an_absent_field() {
        assert_eq!(check(|spec| spec["workloads"][0]["vertical"] = Value::Null), []);
    }

    #[test]
    fn a_violation_knows_its_environment_and_workload() {
        let mut spec = base();
        spec["environments"] =
            json!([{"name": "dev"}, {"name": "prod", "workloads": [{"name": "api", "minReplicas": -1}]}]);
        let found = check_spec(&spec);
        assert_eq!(found[0].path(), "spec.environments[1].workloads[0].minReplicas");
        assert_eq!(
            found[0].place(&spec),
            (Some("prod".to_owned()), Some("api".to_owned()))
        );
    }
}
