//! Notations and types of Kubernetes: quantities, durations, selectors, percent-encoding, pod templates,
//! quotas, conditions, references to objects, scale targets,
//! results of reads, and waits between retries.
//!
//! Must not: know a `VoiceAssistScaling`.

pub mod api_version;
pub mod backoff;
pub mod conditions;
pub mod duration;
pub mod int_or_percent;
pub mod label_selector;
pub mod percent;
pub mod pod_template;
pub mod quantity;
pub mod quota;
pub mod read;
pub mod resource_ref;
pub mod scale_target;
