//! `vas test`: real load, what the cluster did meanwhile, and what to make of it.
//!
//! ```text
//! scenario file --scenario--> Scenario --engine, http--> model::Measured
//! cluster --autoscaling/watch--> model::Scaling             (both on the clock of the run: seconds since it began)
//! Measured + Scaling --judge, autoscaling--> checks, grade, verdict --report--> text, JSON, HTML, ...
//!
//! run         one scenario from its load to the judged report
//! setup       what is done once, before the load and after it
//! drive       sends a load to its end               progress  how far it is, in one line
//! selection   scenarios by name, suite or file      limits    the largest load that is sent
//! files       files that users name, within a bound
//! capacity    holds replicas and searches for the load they carry
//! cluster     a resource and its workloads, as tests find them
//! exposition  what happens in a run, for Prometheus
//! web         what happens in a run, as a page in a browser
//! import      scenarios from recordings, API descriptions and k6
//! merge       several runs as one                  distributed  one load from several pods
//! ```
//!
//! Pure are `model`, `scenario`, `import`, `judge`, `merge`, `report`, and what `autoscaling` and `capacity` decide.

pub mod autoscaling;
pub mod capacity;
pub mod clock;
pub mod cluster;
pub mod distributed;
pub mod drive;
pub mod engine;
pub mod exposition;
pub mod files;
pub mod http;
pub mod import;
pub mod judge;
pub mod limits;
pub mod merge;
pub mod model;
pub mod progress;
pub mod report;
pub mod run;
pub mod scenario;
pub mod selection;
pub mod setup;
mod token;
pub mod web;
