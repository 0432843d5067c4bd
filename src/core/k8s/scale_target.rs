//! A scale target as it was read: an object of any kind that has a `scale` subresource.

use serde_json::Value;

use super::label_selector::LabelSelector;

/// A scale target by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetId {
    /// Kind of the scale target, such as `Deployment`.
    pub kind: String,
    /// Name of the scale target.
    pub name: String,
}

/// A scale target.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleTarget {
    /// The whole object.
    pub object: Value,
    /// `status.selector` of its scale subresource.
    pub selector: String,
    /// `spec.replicas` of its scale subresource.
    pub replicas: i32,
}

impl ScaleTarget {
    /// Which pods are its own; `None` for an empty selector, which would be all of them.
    #[must_use]
    pub fn pods(&self) -> Option<LabelSelector> {
        LabelSelector::of_pods(&self.selector).ok()
    }
}
