//! What the integration tests and the demo share: a real cluster, a real Prometheus, real processes.
//!
//! Everything that a test starts dies with the test process, even when that is killed. Nothing here sleeps
//! for a fixed time: [`eventually()`] polls a condition until a deadline and then says what it saw last.
#![allow(missing_docs, reason = "what a helper of tests does, its name says")]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on must stop, and it may look at the clock"
)]

pub mod api;
pub mod audit;
pub mod balancer;
pub mod certificate;
pub mod chart;
pub mod cluster;
pub mod deployment;
pub mod eventually;
pub mod exporter;
pub mod exposition;
pub mod failure;
pub mod fault_proxy;
pub mod install;
mod kinds;
pub mod kustomization;
pub mod load_model;
pub mod namespace;
pub mod open_loop;
pub mod peers;
pub mod process;
pub mod programs;
pub mod prometheus;
pub mod queue;
pub mod rendered_deployment;
pub mod replicas;
pub mod service;
pub mod shared;
pub mod turn;
pub mod vas;
pub mod write;

pub use cluster::Cluster;
pub use eventually::eventually;

/// Installs the TLS provider that kube and reqwest share, once per process.
pub fn install_tls_provider() {
    static INSTALLED: std::sync::Once = std::sync::Once::new();
    INSTALLED.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
