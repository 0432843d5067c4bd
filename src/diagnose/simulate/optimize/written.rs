//! The resource as it is written, and the same with some fields changed.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use vas_core::{
    replay::Model,
    spec::rules::document::{self, Document},
};

use crate::simulate::subject::{self, Hints};

/// A `VoiceAssistScaling` as a file or a cluster has it, and which workload of it is searched.
#[derive(Clone, Debug)]
pub struct Written {
    /// The resource. Quantities are as they are written, numbers or text, because a patch compares them.
    pub document: Value,
    /// The environment to take instead of the one that the resource names.
    pub environment: Option<String>,
    /// Name of the workload; `None` means the only one.
    pub workload: Option<String>,
    /// What the user says about its metrics.
    pub hints: Hints,
    /// The namespace that counts if the resource names none.
    pub namespace: Option<String>,
    /// Flags with which kubectl reaches the cluster of the resource.
    pub kubectl: Vec<String>,
}

impl Written {
    /// Whether an environment is taken that the resource itself does not name.
    pub(super) fn is_elsewhere(&self) -> bool {
        let named = self.document.pointer("/spec/environment").and_then(Value::as_str);
        self.environment
            .as_deref()
            .is_some_and(|taken| Some(taken) != named)
    }

    /// Text of a field of its metadata.
    pub(super) fn metadata(&self, field: &str) -> Option<&str> {
        self.document.get("metadata")?.get(field)?.as_str()
    }

    /// The resource after the schema and the rules.
    pub(super) fn check(&self, document: &Value) -> Document {
        document::check(document, self.environment.as_deref())
    }

    /// How a changed resource scales: with its schedule, if it has one. `None` where it breaks a rule, or has a
    /// warning that the one that is written does not have.
    pub(super) fn model(&self, changed: &Value) -> Option<Model> {
        let checked = self.check(changed);
        if !checked.validation.violations.is_empty() {
            return None;
        }
        let places = |checked: &Document| -> BTreeSet<(String, Option<String>)> {
            let warnings = checked.validation.warnings.iter();
            warnings
                .map(|one| (one.path.clone(), one.environment.clone()))
                .collect()
        };
        if !checked.validation.warnings.is_empty() {
            let known = places(&self.check(&self.document));
            if !places(&checked).is_subset(&known) {
                return None;
            }
        }
        let (scaling, resource) = (checked.validation.scaling?, checked.object?);
        let workload = self.workload.as_deref();
        let found = subject::of_workload(&scaling, &resource, workload, &self.hints).ok()?;
        Some(found.scheduled.unwrap_or(found.model))
    }
}

/// Writes a value to where a JSON Pointer leads. Objects on the way that are missing are made; a list on the way must
/// be there.
pub(super) fn set(document: &mut Value, pointer: &str, value: Value) {
    let mut place = document;
    for name in pointer.split('/').skip(1) {
        let next = match place {
            Value::Array(list) => name.parse::<usize>().ok().and_then(|at| list.get_mut(at)),
            other => {
                if !other.is_object() {
                    *other = Value::Object(Map::new());
                }
                other
                    .as_object_mut()
                    .map(|fields| fields.entry(name).or_insert(Value::Null))
            }
        };
        let Some(next) = next else { return };
        place = next;
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_written_into_objects_that_are_made_on_the_way() {
        let mut document = json!({"a": [{"name": "x", "b": null}]});
        set(&mut document, "/a/0/b/c", json!(1));
        set(&mut document, "/a/0/name", json!("y"));
        set(&mut document, "/a/7/name", json!("z"));
        assert_eq!(document, json!({"a": [{"name": "y", "b": {"c": 1}}]}));
    }
}
