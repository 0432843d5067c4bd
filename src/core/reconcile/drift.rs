//! Whether a live child needs a write: is everything we want there, and nothing we own left over?
//!
//! The live object holds more than we wrote: server-side defaults, fields of others, another spelling of
//! the same quantity. So the comparison asks whether the desired object is contained in the live one, and,
//! because server-side apply removes what its owner no longer names, whether the live object still has
//! fields that we own and no longer want.

use std::{collections::BTreeSet, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::{Map, Value};

use crate::core::k8s::quantity;

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
/// Parts that are owned whole, in which the server fills nothing in: whatever else stands there was added,
/// and changes what they mean. Selectors, and the items of a LimitRange.
const WHOLE: [&str; 2] = ["selector", "limits"];

/// JSON pointers to the fields that one field manager owns by apply, down to the first list or leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnedFields(Arc<BTreeSet<Box<str>>>);

/// Keeps each set of fields once: those of a thousand children of one shape are the same.
#[derive(Debug, Default)]
pub struct FieldSets(BTreeSet<OwnedFields>);

/// Sets that are kept without looking whether anybody still has them.
const SETS: usize = 1024;

impl FieldSets {
    /// The one set that is equal to `fields`.
    pub fn share(&mut self, fields: OwnedFields) -> OwnedFields {
        if let Some(known) = self.0.get(&fields) {
            return known.clone();
        }
        if self.0.len() >= SETS {
            self.0.retain(|known| Arc::strong_count(&known.0) > 1);
        }
        self.0.insert(fields.clone());
        fields
    }
}

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
        Self(Arc::new(paths))
    }

    /// Whether every owned path still exists in `desired`.
    fn all_wanted_by(&self, desired: &Value) -> bool {
        self.0.iter().all(|path| desired.pointer(path).is_some())
    }
}

/// Collects the paths of leaves; list items (`k:`, `v:`) count as part of their list.
fn collect(fields: &Map<String, Value>, prefix: &str, paths: &mut BTreeSet<Box<str>>) {
    for (key, children) in fields {
        let Some(name) = key.strip_prefix("f:") else {
            continue;
        };
        // As JSON pointers spell it (RFC 6901): names of labels and of quota resources hold slashes.
        let path = format!("{prefix}/{}", name.replace('~', "~0").replace('/', "~1"));
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
    let contained = ["/metadata/labels", "/spec"]
        .into_iter()
        .all(|pointer| contains(&part(&live, pointer), &part(desired, pointer), Place::default()));
    let owners = "/metadata/ownerReferences";
    !(contained && owns(&part(&live, owners), &part(desired, owners)) && owned.all_wanted_by(desired))
}

/// Fields of the desired `spec` that the object has not got although it was just written: the API server does not
/// know them, or a feature gate drops them. As users write them, from `spec` on.
pub fn dropped(desired: &Value, stored: &Value) -> Vec<String> {
    let mut fields = Vec::new();
    if let (Some(desired), Some(stored)) = (desired.get("spec"), stored.get("spec")) {
        collect_dropped(desired, stored, "spec", &mut fields);
    }
    fields
}

fn collect_dropped(desired: &Value, stored: &Value, path: &str, fields: &mut Vec<String>) {
    match (desired, stored) {
        (Value::Object(desired), Value::Object(stored)) => {
            for (name, value) in desired.iter().filter(|(_, value)| !is_empty(value)) {
                let path = format!("{path}.{name}");
                match stored.get(name) {
                    Some(stored) => collect_dropped(value, stored, &path, fields),
                    None => fields.push(path),
                }
            }
        }
        (Value::Array(desired), Value::Array(stored)) if desired.len() == stored.len() => {
            for (index, (desired, stored)) in desired.iter().zip(stored).enumerate() {
                collect_dropped(desired, stored, &format!("{path}[{index}]"), fields);
            }
        }
        _ => {}
    }
}

/// Whether every owner in `desired` is among those in `live`: an object may have owners beside ours.
fn owns(live: &Value, desired: &Value) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let live = list(live);
    let held = |owner: &Value| live.iter().any(|one| contains(one, owner, Place::default()));
    list(desired).iter().all(held)
}

/// Where in an object a comparison is.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    /// The name of the field, for the items of a list that of the list.
    key: &'a str,
    /// It is a value in a map of quantities.
    quantities: bool,
    /// It is part of something that is owned whole.
    whole: bool,
}

/// Whether `live` holds everything in `desired`. Maps may hold more, lists and what is owned whole may not.
fn contains(live: &Value, desired: &Value, place: Place<'_>) -> bool {
    match (live, desired) {
        (_, Value::Null) => true,
        (Value::Object(live), Value::Object(desired)) => {
            let added = |(name, value): (&String, &Value)| {
                !is_empty(value) && desired.get(name).is_none_or(Value::is_null)
            };
            let complete = desired.iter().all(|(name, value)| {
                let place = Place {
                    key: name,
                    quantities: QUANTITY_MAPS.contains(&place.key),
                    whole: place.whole || WHOLE.contains(&name.as_str()),
                };
                // The server drops empty maps and lists from some types.
                let absent = if is_empty(value) { Some(value) } else { None };
                live.get(name)
                    .or(absent)
                    .is_some_and(|found| contains(found, value, place))
            });
            complete && !(place.whole && live.iter().any(added))
        }
        (Value::Array(live), Value::Array(desired)) => {
            let place = Place {
                quantities: false,
                ..place
            };
            live.len() == desired.len()
                && live
                    .iter()
                    .zip(desired)
                    .all(|(live, desired)| contains(live, desired, place))
        }
        (live, desired) if live == desired => true,
        (live, desired) => {
            (place.quantities || QUANTITIES.contains(&place.key)) && same_amount(live, desired)
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
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
