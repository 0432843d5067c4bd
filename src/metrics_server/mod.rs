//! `vas metrics-server`: custom.metrics.k8s.io and external.metrics.k8s.io from Prometheus, behind the aggregation layer.
//!
//! ```text
//! configuration ---config---> servers -------+
//! VoiceAssistScalings --watches--> registry --shapes--> poller --Prometheus--> store
//! pods                --watches--> pod_index                                     |
//! HPA --listener, tls--> router: authn -> authz -> path -> reads (memory only) <-+
//! ```
//!
//! Every replica serves; one of them, the holder of a Lease, reports `MetricsAvailable`.
//! Public is what answers a read from memory, for the benchmarks of `tests/bench`.
//! Must not: ask Prometheus or the API server for data inside a request (reviews of access are cached).

mod api_services;
mod authenticator;
mod authn;
mod authz;
mod availability;
mod ca_bundle;
mod certificate;
mod certificate_files;
mod config;
mod discovery;
mod document;
mod documents;
mod first_answers;
mod intake;
#[cfg(test)]
mod isolation;
mod listener;
mod live_pod;
mod negotiation;
mod openapi;
pub mod path;
pub mod payload;
pub mod pod_index;
mod poller;
pub mod reads;
pub mod registry;
mod resource_names;
mod review;
mod review_cache;
mod rotation;
mod router;
mod run;
mod secret;
mod served;
mod servers;
mod shared_certificate;
mod status_error;
pub mod store;
mod telemetry;
mod tls;
mod token_review;
mod trust_watch;
mod turns;
mod user_limit;
mod version;
mod watches;

pub use authz::CacheTtl;
pub use certificate_files::{CertificateFiles, FilesError};
pub use config::{ConfigError, ConfigFile, Configuration, Problem};
pub use listener::BindError;
pub use rotation::{Times as RotationTimes, TimesError as RotationTimesError};
pub use run::{Certificate, RunError, Settings, run};
pub use secret::ServiceName;
pub use servers::ServerSettings;
pub use tls::KeyPairError;
pub use token_review::NoRandomness;
