//! The algorithm of the HorizontalPodAutoscaler controller, as pure functions: what one metric proposes, how
//! proposals combine, and which bound or policy limits the result.
//!
//! ```text
//! spec      reads an HPA object: bounds, metrics with their targets, behaviour
//! pods      describes pods as the controller sees them, and which of them count for a metric
//! requests  sums what a pod requests, the base of a utilization
//! controller  the flags of the controller, and the two directions
//! proposal  what a metric proposes, or why it proposes nothing
//! propose   turns one metric and its value into a number of replicas, or says why there is none
//! per_pod   does that for metrics with a value per pod
//! combine   picks one of all proposals, or says why the controller stops
//! policy    limits how far one sync may go, up and down
//! decide    gives the next number of replicas, and what decided it
//! metric_question  lists what an HPA asks the metrics APIs; metric_reads  gives the path of each request
//! ```
//!
//! The arithmetic is the controller's own: whole milli-units, truncated percentages and averages, and `f64`
//! ratios in the controller's order of operations. Recommendations and earlier rescales are known to the
//! controller alone. They come in as [`Memory`], which says how much of them is known here.
//!
//! Source: `k8s.io/kubernetes/pkg/controller/podautoscaler`, 1.36 and later. Comments name the Go function
//! that the code beside them mirrors. Must not: read the cluster, or word messages for people; that is
//! `vas_diagnose::explain`.

mod combine;
mod controller;
pub mod decide;
pub mod metric_question;
pub mod metric_reads;
mod number;
mod per_pod;
mod pods;
mod policy;
mod proposal;
pub mod propose;
mod requests;
mod spec;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use combine::{Combined, combine};
pub use controller::{Controller, Direction, TOLERANCE};
pub use decide::{Cause, Decision, Hold, Input, Memory, decide};
pub use number::{Milli, milli};
pub use pods::{Counts, Phase, Pod, Readiness, Sample};
pub use policy::{Policies, Policy, Rules, down_limit, up_limit};
pub use proposal::{Measured, MetricError, Outcome, Proposal, World};
pub use propose::{Reading, propose};
pub use spec::{Behavior, Hpa, Metric, Source, Target};
