//! Whether a live child needs a write: is everything we want there, and nothing we own left over?
//!
//! The live object holds more than we wrote: server-side defaults, fields of others, another spelling of
//! the same quantity. So the comparison asks whether the desired object is contained in the live one, and,
//! because server-side apply removes what its owner no longer names, whether the live object still has
//! fields that we own and no longer want.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::{Map, Value};

use crate::core::quantity;

/// Maps whose values are quantities.
const QUANTITY_MAPS: [&str; 8] = [
    "hard",
    "min",
    "max",
    "default",
    "defaultRequest",
    "maxLimitRequestRatio",
    "minAllowed",
    "maxAllowed",
];
/// Fields that are quantities.
const QUANTITIES: [&str; 3] = ["averageValue", "value", "tolerance"];

/// Paths of the fields that one field manager owns by apply, down to the first list or leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedFields(BTreeSet<Box<str>>);

impl OwnedFields {
    /// From an object's `managedFields`: the `Apply` entry of `manager` on the object itself.
    pub fn of(entries: &[ManagedFieldsEntry], manager: &str) -> Self {
        let mut paths = BTreeSet::new();
        for entry in entries {
            let ours = entry.manager.as_deref() == Some(manager)
                && entry.operation.as_deref() == Some("Apply")
                && entry.subresource.as_deref().unwrap_or_default().is_empty();
            if let (true, Some(fields)) = (ours, &entry.fields_v1)
                && let Value::Object(fields) = &fields.0
            {
                collect(fields, "", &mut paths);
            }
        }
        Self(paths)
    }

    /// Whether every owned path still exists in `desired`.
    fn all_wanted_by(&self, desired: &Value) -> bool {
        self.0.iter().all(|path| {
            path.split('/')
                .try_fold(desired, |value, key| value.get(key))
                .is_some()
        })
    }
}

/// Collects the paths of leaves; list items (`k:`, `v:`) count as part of their list. Keys of our objects
/// hold no `/` except label names, which are never dropped one by one, so those stop at their map.
fn collect(fields: &Map<String, Value>, prefix: &str, paths: &mut BTreeSet<Box<str>>) {
    for (key, children) in fields {
        let Some(name) = key.strip_prefix("f:") else {
            continue;
        };
        if name.contains('/') {
            continue;
        }
        let path = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}/{name}")
        };
        match children.as_object() {
            Some(children) if children.keys().any(|child| child.starts_with("f:")) => {
                collect(children, &path, paths);
            }
            _ => {
                paths.insert(path.into_boxed_str());
            }
        }
    }
}

/// Whether the live object, given as JSON text, must be written to become `desired`.
pub fn needs_apply(desired: &Value, live: &str, owned: &OwnedFields) -> bool {
    let Ok(live) = serde_json::from_str::<Value>(live) else {
        return true;
    };
    let part = |object: &Value, pointer: &str| object.pointer(pointer).cloned().unwrap_or(Value::Null);
    let contained = ["/metadata/labels", "/metadata/ownerReferences", "/spec"]
        .into_iter()
        .all(|pointer| contains(&part(&live, pointer), &part(desired, pointer), pointer, false));
    !(contained && owned.all_wanted_by(desired))
}

/// Whether `live` holds everything in `desired`. Maps may hold more, lists may not.
fn contains(live: &Value, desired: &Value, key: &str, quantities: bool) -> bool {
    match (live, desired) {
        (_, Value::Null) => true,
        (Value::Object(live), Value::Object(desired)) => desired.iter().all(|(name, value)| {
            // The server drops empty maps and lists from some types.
            let absent = if is_empty(value) { Some(value) } else { None };
            live.get(name)
                .or(absent)
                .is_some_and(|found| contains(found, value, name, QUANTITY_MAPS.contains(&key)))
        }),
        (Value::Array(live), Value::Array(desired)) => {
            live.len() == desired.len()
                && live
                    .iter()
                    .zip(desired)
                    .all(|(live, desired)| contains(live, desired, key, false))
        }
        (live, desired) if live == desired => true,
        (live, desired) => (quantities || QUANTITIES.contains(&key)) && same_amount(live, desired),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn same_amount(left: &Value, right: &Value) -> bool {
    let amount = |value: &Value| match value {
        Value::String(text) => quantity::parse_str(text).ok(),
        Value::Number(number) => quantity::parse_str(&number.to_string()).ok(),
        _ => None,
    };
    amount(left).is_some_and(|left| Some(left) == amount(right))
}

#[cfg(test)]
mod tests;
