//! vas: a Kubernetes operator and custom-metrics server that autoscales VoiceAssist from one resource.
//!
//! ```text
//! api         the resource's types
//! core        pure and shared: documents, Kubernetes' words, spec, reconcile, metrics, the HPA's algorithm
//! cluster     the one way to a cluster: watches, leader election, telemetry, clocks
//! prometheus  the query client, its configuration, its servers
//! import      from other autoscalers' files to a resource
//! operator        observe -> validate -> plan -> apply -> status
//! metrics_server  polling -> memory -> custom.metrics.k8s.io
//! loadtest        the load engine, the watch of a test, its judge and its reports
//! diagnose        vas doctor and vas explain
//! cli             arguments and printing, one file per subcommand
//! ```

#![cfg_attr(
    test,
    allow(clippy::needless_pass_by_value, reason = "tests pass json!(..) inline")
)]

pub mod api;
pub mod cli;
pub mod cluster;
pub mod core;
pub mod diagnose;
pub mod import;
pub mod loadtest;
pub mod metrics_server;
pub mod operator;
pub mod prometheus;
