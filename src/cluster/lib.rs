//! The one way to a cluster: reads, watches, clocks, leader election, logs and metrics. Every program shares it.
//!
//! ```text
//! read         one read with a time limit, and its failure as data
//! request      one request whose failure says what was tried
//! kinds        how kinds are served, in one bounded cache
//! named_kind   which kind a word of a command line means
//! discovery    the names of kinds in paths, and which version of custom.metrics.k8s.io the HPA reads
//! metric_read  reads of the metrics APIs, made as the HPA controller makes them
//! scale_target  reads of scale targets of any kind
//! ```
//!
//! Invariant: every program that reads a metric for an HPA uses `metric_read`, so that all of them read what
//! the HPA controller reads; every program that reads a scale target uses `scale_target`; every
//! program that asks how a kind is served uses `kinds`, because tenants choose the names. Must not: know which
//! objects the operator makes for a `VoiceAssistScaling`, or judge what was read.

pub mod clock;
pub mod discovery;
pub mod judging;
pub mod kinds;
pub mod leader;
pub mod listening;
pub mod metric_read;
pub mod named_kind;
pub mod random;
pub mod read;
mod remembered;
pub mod request;
pub mod scale_target;
pub mod server_clock;
pub mod shutdown;
pub mod telemetry;
pub mod terminal;
pub mod watch;
