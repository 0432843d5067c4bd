//! `vas metrics-server`: custom.metrics.k8s.io from Prometheus, behind the aggregation layer.
//!
//! ```text
//! VoiceAssistScalings --watches--> registry --shapes--> poller --Prometheus--> store
//! pods                --watches--> pod_index                                     |
//! HPA --listener, tls--> router: authn -> authz -> path -> reads (memory only) <-+
//! ```
//!
//! Every replica serves; one of them, the holder of a Lease, reports `MetricsAvailable`.
//! Public is what answers a read from memory, for the benchmarks of `tests/bench`.
//! Must not: ask Prometheus or the API server for data inside a request (reviews of access are cached).

mod api_services;
mod authn;
mod authz;
mod availability;
mod certificate;
mod discovery;
mod listener;
pub mod path;
pub mod payload;
pub mod pod_index;
mod poller;
pub mod reads;
pub mod registry;
mod resource_names;
mod router;
mod run;
mod secret;
mod shared_certificate;
mod status_error;
pub mod store;
mod telemetry;
mod tls;
mod trust_watch;
mod watches;

pub use authz::CacheTtl;
pub use listener::BindError;
pub use run::{Certificate, RunError, Settings, run};
pub use secret::ServiceName;
pub use tls::KeyPairError;
