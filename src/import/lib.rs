//! Converts the configuration of other autoscalers into `VoiceAssistScaling` resources.
//!
//! ```text
//! adapter    rules of prometheus-adapter -> metrics entries
//! hpa        HPAs, budgets and VPAs -> resources        keda  ScaledObjects -> resources
//! query      reads queries by their syntax trees        assemble  workloads -> valid resources
//! documents  the objects of a file, unpacked from lists
//! names      metric names that the resource accepts     pattern   regular expressions, compiled with a limit
//! ```
//!
//! Invariant: every guess is marked as one, and anything that would mean something else in the resource is
//! refused with a reason. Must not: read files, or send requests to a cluster or to Prometheus.

#![cfg_attr(
    test,
    allow(clippy::needless_pass_by_value, reason = "tests pass json!(..) inline")
)]

#[cfg(test)]
extern crate self as vas_import;

pub mod adapter;
mod assemble;
pub mod documents;
#[cfg(test)]
mod fuzz_corpus;
pub mod hpa;
pub mod keda;
mod names;
mod pattern;
mod query;

use vas_api::v1alpha1::VoiceAssistScaling;

/// A part of the input that was not converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where the part is: `rules[2]`, or the object that contains it, such as `HPA shop/api`.
    pub field: String,
    /// The part itself: a series, a metric or a field.
    pub series: String,
    /// Why it was not converted, and what the user can do.
    pub why: String,
}

/// The resources that were made, and the parts of the input that are not in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assembled {
    /// The resources, by namespace.
    pub resources: Vec<Resource>,
    /// The parts that were not converted.
    pub refused: Vec<Refused>,
    /// What the user has to do besides applying the resources, such as set a flag of the metrics server.
    pub notes: Vec<String>,
}

/// One resource, with the comments to print above it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The resource. It breaks no rule of `vas validate`.
    pub object: VoiceAssistScaling,
    /// Where each workload comes from and what the user should know about it, one line each.
    pub comments: Vec<String>,
}
