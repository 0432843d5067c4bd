//! The algorithm of the HorizontalPodAutoscaler controller, as pure functions: what one metric proposes, how
//! proposals combine, and which bound or policy limits the result.
//!
//! ```text
//! spec      reads an HPA object: bounds, metrics with their targets, behaviour
//! pods      describes pods as the controller sees them, and which of them count for a metric
//! requests  sums what a pod requests, the base of a utilization
//! milli, number  amounts and counts as Go has them
//! controller  the flags and gates of the controller, and the two directions
//! answer    reads the answers of the metrics APIs
//! proposal  what a metric proposes, or why it proposes nothing
//! propose   turns one metric and its value into a number of replicas, or says why there is none
//! per_pod   does that for metrics with a value per pod
//! combine   picks one of all proposals, or says why the controller stops
//! state     what the controller remembers: recommendations and its own rescales
//! stabilize holds the pick against earlier recommendations
//! policy, limit  how far one sync may go, up and down
//! step      one sync: all of it in the controller's order
//! decision, conditions  what a sync decides, and which conditions it sets
//! metric_question  lists what an HPA asks the metrics APIs; metric_reads  gives the path of each request
//! ```
//!
//! The arithmetic is the controller's own: whole milli-units, truncated percentages and averages, and `f64`
//! ratios in the controller's order of operations. What it remembers is in [`State`], which comes in and goes out
//! with each [`step()`].
//!
//! Source: `k8s.io/kubernetes/pkg/controller/podautoscaler`, 1.36 and later. Comments name the Go function
//! that the code beside them mirrors. Must not: read the cluster, or word messages for people; that is
//! `vas_diagnose::explain`.

pub mod answer;
mod combine;
mod conditions;
mod controller;
mod decision;
mod limit;
pub mod metric_question;
pub mod metric_reads;
mod milli;
mod number;
mod per_pod;
mod pods;
mod policy;
mod proposal;
pub mod propose;
mod requests;
mod spec;
mod stabilize;
mod state;
pub mod step;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use conditions::{Condition, Conditions, Reason};
pub use controller::{Controller, Direction, Gates, TOLERANCE};
pub use decision::{Cause, Decision};
pub use milli::{Milli, milli};
pub use pods::{Cohort, Counts, Phase, Pod, Readiness, Sample};
pub use policy::{Policy, Rules, Select, down_limit, up_limit};
pub use proposal::{Measured, MetricError, Outcome, Proposal, World};
pub use propose::{Reading, Samples, propose};
pub use requests::Requests;
pub use spec::{Behavior, Hpa, Metric, RefusedMetric, Source, Target};
pub use state::{Recommendation, ScaleEvent, State};
pub use step::{Scale, Selector, Sync, step};
