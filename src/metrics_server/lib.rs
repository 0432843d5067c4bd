//! `vas metrics-server`: serves custom.metrics.k8s.io and external.metrics.k8s.io from Prometheus, behind the
//! aggregation layer.
//!
//! ```text
//! configuration ---config---> servers -------+
//! VoiceAssistScalings --watches--> registry --shapes--> poller --Prometheus--> store
//! pods                --watches--> pod_index                                     |
//! HPA --listener, tls--> router: authn -> authz -> path -> reads (memory only) <-+
//!                                                     \-> fallback: what no resource describes, to another adapter
//! ```
//!
//! Every replica serves reads. One replica, the holder of a Lease, reports `MetricsAvailable`. Public are the
//! items that answer a read from memory, for the benchmarks of `tests/bench`.
//! Must not: request data from Prometheus or the API server inside a request for a metric of ours (reviews of
//! access are cached).

#![cfg_attr(
    test,
    allow(clippy::needless_pass_by_value, reason = "tests pass json!(..) inline")
)]

#[cfg(test)]
extern crate self as vas_metrics_server;

pub mod auth;
pub mod certificate;
mod documents;
mod fallback;
#[cfg(test)]
mod fuzz_corpus;
mod in_flight;
pub mod metrics;
pub mod polling;
mod reread;
mod router;
mod run;
pub mod serving;
mod status_error;
mod telemetry;

pub use crate::{
    auth::{authz::CacheTtl, token_review::NoRandomness},
    certificate::key_pair::KeyPairError,
    certificate::{
        files::{CertificateFiles, FilesError},
        rotation::{Times as RotationTimes, TimesError as RotationTimesError},
        secret::ServiceName,
    },
    fallback::{AdapterAddress, AddressError, CaFile, CaFileError, FallbackSettings},
    run::{Certificate, RunError, Settings, run},
    serving::listener::BindError,
};
pub use vas_prometheus::{
    config::{ConfigError, ConfigFile, Configuration, Problem},
    servers::ServerSettings,
};
