//! Decides whether a live child has drifted from the desired one, so that it must be written.
//!
//! The two are never compared for equality. The live object holds more than vas wrote: server-side defaults,
//! fields of others, and `2048Mi` where vas wrote `2Gi`. A child has not drifted while three things hold:
//!
//! 1. Everything desired is in the live object (`contains`). If not, a field is missing or was changed.
//! 2. Its owner references name the resource (`owns`).
//! 3. Every field that vas owns is still desired (`OwnedFields`). If not, server-side apply must remove a
//!    field that vas wrote earlier and no longer names.
//!
//! Example: vas wrote `minReplicas: 2`. An object with `minReplicas: 2` and a label of somebody else has not
//! drifted. One with `minReplicas: 3` has, and so has one in which vas owns a `tolerance` that left the spec.

use std::{collections::BTreeSet, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::{Map, Value};

use crate::k8s::quantity;

/// Fields that are maps of quantities, in the specs of ResourceQuota, LimitRange and VPA.
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
/// Fields that are quantities, in the spec of an HPA.
const QUANTITIES: [&str; 3] = ["averageValue", "value", "tolerance"];
/// Fields that vas owns as a whole: selectors, and the items of a LimitRange. The server fills nothing in
/// there, so a field that vas did not write was added by somebody and changes the meaning.
const WHOLE: [&str; 2] = ["selector", "limits"];

/// JSON pointers to the fields that one field manager owns by server-side apply. A pointer ends at the first
/// list or leaf: `/spec/metrics`, `/spec/minReplicas`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnedFields(Arc<BTreeSet<Box<str>>>);

/// Stores each set of owned fields once, because a thousand children of the same shape own the same fields.
#[derive(Debug, Default)]
pub struct FieldSets(BTreeSet<OwnedFields>);

/// Number of stored sets from which on a new set first drops those that no child uses any more.
const SETS: usize = 1024;

impl FieldSets {
    /// The stored set that equals `fields`. A new set is stored.
    pub fn share(&mut self, fields: OwnedFields) -> OwnedFields {
        if let Some(known) = self.0.get(&fields) {
            return known.clone();
        }
        if self.0.len() >= SETS {
            // A count of 1 is this store alone.
            self.0.retain(|known| Arc::strong_count(&known.0) > 1);
        }
        self.0.insert(fields.clone());
        fields
    }
}

impl OwnedFields {
    /// Reads an object's `managedFields`: the entry of `manager` with operation `Apply` on the object itself,
    /// not on a subresource.
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
    fn all_in(&self, desired: &Value) -> bool {
        self.0.iter().all(|path| desired.pointer(path).is_some())
    }
}

/// Collects the paths of leaves from `fieldsV1`. There `f:` starts a field, `k:` and `v:` start a list item.
/// List items count as part of their list.
fn collect(fields: &Map<String, Value>, prefix: &str, paths: &mut BTreeSet<Box<str>>) {
    for (key, children) in fields {
        let Some(name) = key.strip_prefix("f:") else {
            continue;
        };
        // Names of labels and of quota resources hold slashes, which a JSON pointer escapes (RFC 6901).
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

/// Whether the live object, given as JSON text, has drifted and must be written to become `desired`.
pub fn needs_apply(desired: &Value, live: &str, owned: &OwnedFields) -> bool {
    // An object that cannot be read is written again, which is safe, because the server ignores an apply that
    // changes nothing.
    let Ok(live) = serde_json::from_str::<Value>(live) else {
        return true;
    };
    // Steps 1 to 3 of the module. An example for each: 1. `minReplicas: 3` where 2 is desired; 2. the owner
    // reference was removed; 3. vas owns `/spec/behavior/scaleUp/tolerance`, which is no longer desired.
    let part = |object: &Value, pointer: &str| object.pointer(pointer).cloned().unwrap_or(Value::Null);
    // Status, annotations and the rest of the metadata belong to others.
    let contained = ["/metadata/labels", "/spec"]
        .into_iter()
        .all(|pointer| contains(&part(&live, pointer), &part(desired, pointer), Place::default()));
    let owners = "/metadata/ownerReferences";
    !(contained && owns(&part(&live, owners), &part(desired, owners)) && owned.all_in(desired))
}

/// Fields of the desired `spec` that the object lacks although it was just written. The API server does not
/// know them, or a feature gate drops them. They are spelled as users write them, such as
/// `spec.behavior.scaleUp.tolerance`.
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

/// Whether every owner reference in `desired` is among those in `live`, which may hold more.
fn owns(live: &Value, desired: &Value) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let live = list(live);
    let held = |owner: &Value| live.iter().any(|one| contains(one, owner, Place::default()));
    list(desired).iter().all(held)
}

/// The place in an object that a comparison has reached.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    /// Name of the field. Items of a list have the name of their list.
    key: &'a str,
    /// Whether the field is a value in a map of [`QUANTITY_MAPS`].
    quantities: bool,
    /// Whether the field lies within one of [`WHOLE`].
    whole: bool,
}

/// Whether `live` holds everything in `desired`. Maps in `live` may hold more, unless vas owns them as a
/// whole. Lists must have the same length and order.
fn contains(live: &Value, desired: &Value, place: Place<'_>) -> bool {
    match (live, desired) {
        // Null asks for nothing: apply leaves such a field to others.
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
                // The server drops empty maps and lists from some types: an absent one equals an empty one.
                let absent = if is_empty(value) { Some(value) } else { None };
                live.get(name)
                    .or(absent)
                    .is_some_and(|found| contains(found, value, place))
            });
            complete && !(place.whole && live.iter().any(added))
        }
        (Value::Array(live), Value::Array(desired)) => {
            // The items keep `key`, so that a quantity in a list is still seen as one.
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
        // Only where a quantity stands may two spellings mean the same: `1` and `1000m`.
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

/// Whether two quantities are the same amount: `2Gi` and `2048Mi`, the text `1` and the number 1.
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
