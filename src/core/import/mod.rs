//! From what other autoscalers have to a `VoiceAssistScaling`.
//!
//! ```text
//! adapter    rules of prometheus-adapter -> metrics entries
//! hpa        HPAs as other versions of their API write them
//! documents  the objects of a file, whatever list they are in
//! names      names as the resource takes them
//! ```
//!
//! Nothing is guessed without a word: what would mean something else here is refused with a reason. Must not: read
//! files, or ask a cluster or Prometheus.

pub mod adapter;
pub mod documents;
pub mod hpa;
mod names;
