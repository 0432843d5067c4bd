//! `vas test`: real load, what the cluster did meanwhile, and what to make of it.
//!
//! ```text
//! clock    one time axis for everything: seconds since the load began
//! http     connections, requests, answers
//! engine   sends requests when they are due -> core::loadtest::Measured
//! cluster  a resource and its workloads, as tests find them
//! preflight whether an autoscaling test can be trusted
//! watch    what a workload does meanwhile -> core::loadtest::Scaling
//! exposition what happens in a run, for Prometheus
//! capacity holds replicas and searches for the load they carry
//! ```
//!
//! What can be decided without I/O is in `core::loadtest`.

pub mod capacity;
pub mod clock;
pub mod cluster;
pub mod engine;
pub mod exposition;
pub mod http;
pub mod preflight;
pub mod watch;
