//! What vas exports for Prometheus, and what is made from that.
//!
//! ```text
//! families    every family of metrics: the one place that has their names
//! readings    what objects of the cluster tell of a workload, taken when the watch brings them
//! scaling     the series of one resource, from its object and the readings of its children
//! exposition  the text of such series, with a bound on their number
//! rules       the alerts, with the files that hold them
//! dashboards  the boards for Grafana
//! process     what the kernel tells of a process
//! api_request the verb of a request to the API server
//! reference   the page docs/metrics-reference.md
//! ```
//!
//! Invariant: a name of a metric stands in `families` alone. All other code takes it from there, and a test refuses
//! another name in `src`.

pub mod api_request;
pub mod dashboards;
pub mod exposition;
pub mod families;
pub mod process;
pub mod readings;
pub mod reference;
pub mod rules;
pub mod scaling;
