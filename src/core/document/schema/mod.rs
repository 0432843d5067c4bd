//! Checks types, bounds, patterns and unique names. They are read from the CRD's own schema, so that no bound
//! is written twice. Files with types of their own are checked against the schema of those types
//! ([`Checker`]).
//!
//! The API server has checked a new object already. The check is repeated, because a stored object may be
//! older than a bound, and because `vas validate` has no API server. It covers the part of structural schemas
//! that our CRD uses. Rules that the CRD has in CEL are written in Rust in [`crate::spec::rules`].

mod check;
mod hint;
mod node;
mod words;

use std::{fmt::Write as _, sync::LazyLock};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use self::{check::Walk, node::Node};
use crate::document::DisplayKey;
use vas_api::v1alpha1;
pub use words::unknown_field;

/// A value that the schema refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaViolation {
    place: Vec<Step>,
    /// The refused value, as compact JSON.
    pub value: String,
    /// Which kind of rule is broken.
    pub breach: Breach,
    /// The rule, and the fix.
    pub rule: String,
}

/// Which kind of rule of the schema a value breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A field that must be there is not.
    Missing,
    /// The schema has no field of this name.
    Unknown,
    /// The value is of another type.
    Type,
    /// The value has the right type, but not the right content: a bound, a pattern, a fixed set of words.
    Content,
    /// The value, or the name of the entry, is in its list twice.
    Twice,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Key(String),
    Index(usize),
}

static SPEC: LazyLock<Node> = LazyLock::new(|| {
    v1alpha1::crd()
        .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
        .map(Node::read)
        .unwrap_or_default()
});

/// A checker with another schema than the CRD's.
#[derive(Debug)]
pub struct Checker {
    schema: Node,
    vocabulary: Vocabulary,
}

impl Checker {
    /// A checker with the schema of a type. Keywords that this code does not know are ignored.
    pub fn of<T: JsonSchema>(vocabulary: Vocabulary) -> Self {
        // `Node` follows no references, and knows a type that admits null by OpenAPI's `nullable`.
        let schema = SchemaSettings::openapi3()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator()
            .into_root_schema_for::<T>();
        Self {
            schema: Node::read(schema.as_value()),
            vocabulary,
        }
    }

    /// Checks a value and refuses unknown fields. Paths begin at the value.
    pub fn check(&self, value: &Value) -> Vec<SchemaViolation> {
        let mut walk = Walk::at(Vec::new(), self.vocabulary);
        walk.check(&self.schema, value);
        walk.into_found()
    }
}

/// What the author of a document probably knows besides its schema. Hints are guessed from that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// The fields of HPA, VPA, PDB and KEDA, and how Kubernetes writes values.
    Autoscaling,
    /// How Kubernetes writes values: durations and quantities. A hint never repeats a value that has the
    /// wrong type, because that may be a secret.
    Kubernetes,
    /// Nothing. There are hints for field names alone.
    Other,
}

/// The text of a path.
fn render(place: &[Step]) -> String {
    let mut text = String::new();
    for step in place {
        // Writing to a String cannot fail.
        let _ = match step {
            Step::Field(name) | Step::Key(name) if text.is_empty() => write!(text, "{name}"),
            Step::Field(name) => write!(text, ".{name}"),
            Step::Key(key) => write!(text, "{}", DisplayKey(key)),
            Step::Index(index) => write!(text, "[{index}]"),
        };
    }
    text
}

/// Whether the spec itself has a field of this name.
pub fn knows(field: &str) -> bool {
    SPEC.properties.contains_key(field)
}

/// Checks a spec against the CRD's schema, and refuses unknown fields.
pub fn check_spec(spec: &Value) -> Vec<SchemaViolation> {
    let mut walk = Walk::at(vec![Step::Field("spec".to_owned())], Vocabulary::Autoscaling);
    walk.check(&SPEC, spec);
    walk.into_found()
}

impl SchemaViolation {
    /// Path from the root of the object.
    #[must_use]
    pub fn path(&self) -> String {
        render(&self.place)
    }

    /// Names of the environment and of the workload that hold the refused value.
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

#[cfg(test)]
mod tests {
    use regex::Regex;
    use serde_json::json;

    use super::*;
    use crate::spec::rules::testing::base;

    /// Path and rule of each violation of a changed spec.
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
            one("spec.workloads", "must have at least 1 entry")
        );
        assert_eq!(
            check(|spec| spec["workloads"][0]["vertical"] = json!({"updateMode": false})),
            one(
                "spec.workloads[0].vertical.updateMode",
                "must be a string; without quotes, Off, On, Yes and No are read as true or false: write \"Off\""
            )
        );
        assert_eq!(
            check(|spec| spec["workloads"][0]["vertical"] = json!({"updateMode": "Auto"})),
            one(
                "spec.workloads[0].vertical.updateMode",
                "must be one of Off, Initial, Recreate, InPlaceOrRecreate; what a VPA calls Auto is Recreate"
            )
        );
    }

    #[test]
    fn a_required_field_is_missed_by_its_path() {
        let missing = one("spec.workloads[0].scaleTargetRef", "is required");
        assert_eq!(
            check(|spec| spec["workloads"][0]["scaleTargetRef"] = Value::Null),
            missing
        );
        assert_eq!(
            check(|spec| {
                spec["workloads"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("scaleTargetRef");
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
