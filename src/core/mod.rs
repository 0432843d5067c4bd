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
//! randomness come in as arguments. A test scans this folder for forbidden imports.

pub mod api_service;
pub mod availability;
pub mod backoff;
pub mod child;
pub mod conditions;
pub mod contest;
pub mod damping;
pub mod desired;
pub mod doctor;
pub mod drift;
pub mod duration;
pub mod environment;
pub mod events;
pub mod explain;
pub mod field_path;
pub mod hpa;
pub mod import;
pub mod int_or_percent;
pub mod label_selector;
pub mod lease;
pub mod loadtest;
pub mod metrics_api;
pub mod model;
pub mod observed;
pub mod outcome;
pub mod packed;
pub mod plan;
pub mod pod_template;
pub mod promql;
pub mod quantity;
pub mod quota;
pub mod reading;
pub mod selector;
pub mod status;
pub mod suspend;
#[cfg(test)]
mod testing;
pub mod validate;

#[cfg(test)]
mod properties;
pub mod vpa_support;
pub mod wake;
pub mod yaml;
