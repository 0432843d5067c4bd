//! The rules: from what a user wrote to [`Scaling`], which cannot be wrong.

use crate::{api::v1alpha1::VoiceAssistScaling, core::model::Scaling};

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the object as the user wrote it, for example
    /// `spec.environments[1].workloads[0].maxReplicas`.
    pub path: String,
    /// The value found there, as compact JSON.
    pub value: String,
    /// The rule, and the fix.
    pub rule: String,
    /// The environment whose merged result breaks the rule; `None` for the base values.
    pub environment: Option<String>,
    /// The workload it concerns; `None` concerns the whole resource.
    pub workload: Option<String>,
}

/// What the rules say of one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// The active environment with the workloads that obey every rule; `None` if a rule of the whole
    /// resource is broken. Children of what is left out stay as they are.
    pub scaling: Option<Scaling>,
    /// All broken rules, of every environment, in a stable order.
    pub violations: Vec<Violation>,
}

/// Checks the merged result of every environment and returns the active one.
pub fn validate(_object: &VoiceAssistScaling) -> Validation {
    Validation {
        scaling: None,
        violations: Vec::new(),
    }
}
