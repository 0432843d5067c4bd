//! `vas metrics-server`: custom.metrics.k8s.io and external.metrics.k8s.io from Prometheus, behind the aggregation layer.
//!
//! ```text
//! VoiceAssistScalings --watches--> registry --shapes--> poller --Prometheus--> store
//! pods                --watches--> pod_index                                     |
//! HPA --listener, tls--> router: authn -> authz -> path -> reads (memory only) <-+
//! ```
//!
//! Every replica serves; one of them, the holder of a Lease, reports `MetricsAvailable`.
//! Must not: ask Prometheus or the API server for data inside a request (reviews of access are cached).

mod api_services;
mod authn;
mod authz;
mod availability;
mod ca_bundle;
mod certificate;
mod certificate_files;
mod discovery;
mod document;
mod documents;
mod listener;
mod negotiation;
mod openapi;
mod path;
mod payload;
mod pod_index;
mod poller;
mod reads;
mod registry;
mod resource_names;
mod rotation;
mod router;
mod run;
mod secret;
mod served;
mod shared_certificate;
mod status_error;
mod store;
mod telemetry;
mod tls;
mod trust_watch;
mod version;
mod watches;

pub use authz::CacheTtl;
pub use certificate_files::{CertificateFiles, FilesError};
pub use listener::BindError;
pub use rotation::{Times as RotationTimes, TimesError as RotationTimesError};
pub use run::{Certificate, RunError, Settings, run};
pub use secret::ServiceName;
pub use tls::KeyPairError;
