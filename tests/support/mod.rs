//! What the integration tests and the demo share: a real cluster, a real Prometheus, real processes.
//!
//! Everything that a test starts dies with the test process, even when that is killed. Nothing here sleeps
//! for a fixed time: [`eventually`] polls a condition until a deadline and then says what it saw last.
#![allow(dead_code, reason = "the tests and the demo each use their own part of this")]

pub mod audit;
pub mod balancer;
pub mod cluster;
pub mod eventually;
pub mod exporter;
pub mod fault_proxy;
pub mod install;
pub mod kustomization;
pub mod load_model;
pub mod namespace;
pub mod open_loop;
pub mod process;
pub mod prometheus;
pub mod rendered_deployment;
pub mod vas;

pub use cluster::Cluster;
pub use eventually::eventually;

/// Installs the TLS provider that kube and reqwest share, once per process.
pub fn install_tls_provider() {
    static INSTALLED: std::sync::Once = std::sync::Once::new();
    INSTALLED.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
