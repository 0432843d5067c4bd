//! All integration tests in one binary, because linking is what makes cold builds slow.
//!
//! One real cluster is shared by a run ([`support::Cluster::shared`]); each test works in a namespace of
//! its own, and a test that breaks the cluster starts one for itself.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on must stop, and it may look at the clock"
)]

mod alerts;
mod autoscaling;
mod availability;
mod capacity;
mod chart;
mod children;
mod cli;
mod contract;
mod crd_rules;
mod dashboards;
mod demo_overlay;
mod doctor;
mod documents;
mod golden;
mod harness;
mod image;
mod import;
mod in_cluster;
mod load_model;
mod load_test;
mod manifests;
mod metric_names;
mod metric_reads;
mod metrics_server;
mod operator;
mod purity;
mod scenarios;
mod schedule;
mod shell;
mod simulate;
