//! From what other autoscalers have to a `VoiceAssistScaling`.
//!
//! ```text
//! adapter    rules of prometheus-adapter -> metrics entries
//! hpa        HPAs, budgets and VPAs -> resources        keda  ScaledObjects -> resources
//! query      what a query asks, by its syntax tree      assemble  workloads -> resources that are valid
//! documents  the objects of a file, whatever list they are in
//! names, pattern  names as the resource takes them, expressions of others under a bound
//! ```
//!
//! Nothing is guessed without a word: what would mean something else here is refused with a reason. Must not: read
//! files, or ask a cluster or Prometheus.

pub mod adapter;
mod assemble;
pub mod documents;
pub mod hpa;
pub mod keda;
mod names;
mod pattern;
mod query;

use crate::api::v1alpha1::VoiceAssistScaling;

/// What became no entry, or no field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place: `rules[2]`, or the object it stands in.
    pub field: String,
    /// What in it: a series, a metric, a field.
    pub series: String,
    /// Why, and what helps.
    pub why: String,
}

/// Resources, and what is not in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assembled {
    /// The resources, by namespace.
    pub resources: Vec<Resource>,
    /// What was to be taken and was not.
    pub refused: Vec<Refused>,
    /// What else has to be done.
    pub notes: Vec<String>,
}

/// One resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// It obeys every rule.
    pub object: VoiceAssistScaling,
    /// Where it comes from, and what is to be known: comments above it.
    pub comments: Vec<String>,
}
