//! The one way to a cluster: reads, watches, clocks, leader election, logs and metrics, shared by every program.
//!
//! ```text
//! read         one read with a time limit, and its failure as data
//! discovery    what kinds are called in paths, and which version of custom.metrics.k8s.io the HPA reads
//! metric_read  the metrics APIs, asked as the HPA controller asks them
//! ```
//!
//! Invariant: whatever reads a metric for an HPA comes through `metric_read`, so that all of them read what the HPA
//! controller reads. Must not: know what a `VoiceAssistScaling` is made into, or judge what was read.

pub mod clock;
pub mod discovery;
pub(crate) mod judging;
pub mod leader;
pub mod listening;
pub mod metric_read;
pub mod random;
pub mod read;
pub mod server_clock;
pub mod shutdown;
pub mod telemetry;
pub mod terminal;
pub mod watch;
