//! vas: a Kubernetes operator and custom-metrics server that autoscales VoiceAssist from one resource.
//!
//! ```text
//! api      the resource's types            core        pure: resolve, validate, plan, queries
//! cli      one file per subcommand         operator    observe -> validate -> plan -> apply -> status
//! prometheus  the query client             metrics_server  poller -> memory -> custom.metrics.k8s.io
//! explain     the reads behind vas explain      doctor      the reads behind vas doctor
//! loadtest    the load engine and the watch behind vas test
//! suspend     the writes behind vas suspend and vas resume
//! telemetry   logs, metrics, health        clock, server_clock, shutdown  time and signals, injected
//! listening   ports, and places for connections
//! ```

#![cfg_attr(
    test,
    allow(clippy::needless_pass_by_value, reason = "tests pass json!(..) inline")
)]

pub mod api;
pub mod cli;
pub mod clock;
pub mod core;
pub mod doctor;
pub mod explain;
mod judging;
pub mod leader;
pub mod listening;
pub mod loadtest;
pub mod metrics_server;
pub mod operator;
pub mod prometheus;
pub mod random;
pub mod server_clock;
pub mod shutdown;
pub mod suspend;
pub mod telemetry;
pub mod terminal;
