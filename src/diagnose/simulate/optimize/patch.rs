//! A change of a resource as a JSON Patch (RFC 6902), which `kubectl patch --type json -p` takes.
//!
//! It begins with `test` operations: each element of a list on the way still has its name, and each field that was
//! searched is still what was replayed. A field that nobody wrote is tested to be `null`, which is how the API server's
//! implementation sees a member that is missing. So on a resource that was changed meanwhile the patch fails as a whole.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Operation {
    /// Fails unless the value is there; `null` also stands for nothing.
    Test {
        /// JSON Pointer.
        path: String,
        /// The value that must be there.
        value: Value,
    },
    /// Adds a member that is not there.
    Add {
        /// JSON Pointer.
        path: String,
        /// Its value.
        value: Value,
    },
    /// Replaces a value.
    Replace {
        /// JSON Pointer.
        path: String,
        /// The new value.
        value: Value,
    },
}

/// What makes `after` of `before`, which differ at most at these pointers. All of them are tested.
pub(super) fn patch(before: &Value, after: &Value, pointers: &[&str]) -> Vec<Operation> {
    let (mut tests, mut changes) = (Vec::new(), Vec::new());
    let push = |list: &mut Vec<Operation>, operation: Operation| {
        if !list.contains(&operation) {
            list.push(operation);
        }
    };
    for pointer in pointers {
        for name in names(before, pointer) {
            let value = before.pointer(&name).cloned().unwrap_or_default();
            push(&mut tests, Operation::Test { path: name, value });
        }
        let path = first_missing(before, pointer);
        let value = before.pointer(&path).cloned().unwrap_or_default();
        if before.pointer(pointer) != after.pointer(pointer) {
            let value = after.pointer(&path).cloned().unwrap_or_default();
            let path = path.clone();
            let change = if before.pointer(&path).is_none_or(Value::is_null) {
                Operation::Add { path, value }
            } else {
                Operation::Replace { path, value }
            };
            push(&mut changes, change);
        }
        push(&mut tests, Operation::Test { path, value });
    }
    tests.append(&mut changes);
    tests
}

/// The pointer itself, or its first part that leads to nothing.
fn first_missing(document: &Value, pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        // Writing to a String cannot fail.
        let _ = write!(path, "/{step}");
        if document.pointer(&path).is_none_or(Value::is_null) {
            break;
        }
    }
    path
}

/// Pointers to the names of the elements of lists on the way.
fn names(document: &Value, pointer: &str) -> Vec<String> {
    let mut path = String::new();
    let mut found = Vec::new();
    for step in pointer.split('/').skip(1) {
        let in_list = document.pointer(&path).is_some_and(Value::is_array);
        let _ = write!(path, "/{step}");
        let name = format!("{path}/name");
        if in_list && document.pointer(&name).is_some() {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::simulate::optimize::written::set;

    /// Applies a patch as the API server does: a member that is missing is `null` to a test.
    fn apply(document: &Value, patch: &[Operation]) -> Option<Value> {
        let mut document = document.clone();
        for operation in patch {
            match operation {
                Operation::Test { path, value } => {
                    let there = document.pointer(path).cloned().unwrap_or_default();
                    (there == *value).then_some(())?;
                }
                Operation::Replace { path, value } => *document.pointer_mut(path)? = value.clone(),
                Operation::Add { path, value } => {
                    let (parent, name) = path.rsplit_once('/')?;
                    let parent = document.pointer_mut(parent)?.as_object_mut()?;
                    parent.insert(name.to_owned(), value.clone());
                }
            }
        }
        Some(document)
    }

    const FIELDS: [&str; 5] = [
        "/spec/workloads/1/minReplicas",
        "/spec/workloads/1/metrics/0/requestRate/target/averageValue",
        "/spec/workloads/1/behavior/scaleDown/stabilizationWindowSeconds",
        "/spec/workloads/1/behavior/scaleDown/policies",
        "/spec/workloads/1/maxReplicas",
    ];

    fn document() -> Value {
        json!({"spec": {"workloads": [
            {"name": "worker"},
            {"name": "web", "maxReplicas": 20, "metrics": [
                {"name": "rate", "requestRate": {"counter": "c", "target": {"averageValue": 70}}},
            ]},
        ]}})
    }

    #[test]
    fn a_patch_gives_the_changed_resource_and_nothing_else() {
        for chosen in 0..1 << 4_u32 {
            let (before, mut after) = (document(), document());
            let values = [json!(3), json!("60"), json!(120), json!([{"type": "Pods"}])];
            for (position, (field, value)) in FIELDS.iter().zip(values).enumerate() {
                if chosen & (1 << position) != 0 {
                    set(&mut after, field, value);
                }
            }
            let patch = patch(&before, &after, &FIELDS);
            assert_eq!(apply(&before, &patch), Some(after), "{patch:?}");
        }
    }

    #[test]
    fn a_patch_does_not_apply_to_a_resource_that_was_changed() {
        let (before, mut after) = (document(), document());
        set(&mut after, FIELDS[2], json!(120));
        let patch = patch(&before, &after, &FIELDS);
        let others = [
            ("/spec/workloads/1/minReplicas", json!(4)),
            ("/spec/workloads/1/maxReplicas", json!(30)),
            ("/spec/workloads/1/name", json!("other")),
            ("/spec/workloads/1/metrics/0/name", json!("other")),
            (FIELDS[1], json!(71)),
            (FIELDS[1], json!("70")),
            ("/spec/workloads/1/behavior/scaleUp", json!({})),
        ];
        for (pointer, value) in others {
            let mut other = before.clone();
            set(&mut other, pointer, value);
            assert_eq!(apply(&other, &patch), None, "{pointer}");
        }
        let words = serde_json::to_value(&patch).unwrap();
        assert_eq!(
            words.as_array().unwrap().last().unwrap(),
            &json!({"op": "add", "path": "/spec/workloads/1/behavior",
                "value": {"scaleDown": {"stabilizationWindowSeconds": 120}}})
        );
    }
}
