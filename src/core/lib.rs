//! The pure core: what the operator, the metrics server, `vas render` and `vas validate` share, so that
//! what the tools show is what runs.
//!
//! Data flows one way:
//!
//! ```text
//! VoiceAssistScaling --resolve(environment)--> one spec --validate--> model::Scaling (cannot be wrong)
//!   model::Scaling + Observed --plan--> Plan (children to apply, children to delete)
//!   model::Scaling --promql--> queries;  samples --> values for the HPA
//! ```
//!
//! Must not: know a Kubernetes client, tokio, a clock, the environment, files or randomness. Time and
//! randomness come in as arguments. Clippy refuses what `clippy.toml` names, and a test scans this folder
//! for forbidden imports.

#![cfg_attr(
    test,
    allow(clippy::needless_pass_by_value, reason = "tests pass json!(..) inline")
)]

#[cfg(test)]
extern crate self as vas_core;

pub mod document;
#[cfg(test)]
mod fuzz_corpus;
pub mod hpa;
pub mod k8s;
pub mod metrics;
pub mod monitoring;
pub mod reconcile;
pub mod replay;
pub mod schedule;
pub mod spec;
pub mod wording;
