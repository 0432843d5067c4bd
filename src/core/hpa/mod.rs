//! The algorithm of the HorizontalPodAutoscaler controller, as pure functions: what one metric proposes, how
//! proposals combine, and which bound or policy limits the result.
//!
//! ```text
//! spec      an HPA object -> bounds, metrics with their targets, behaviour
//! pods      pods as the controller sees them; which of them count for a metric
//! propose   one metric and its value -> a number of replicas, or why there is none
//! combine   all proposals -> one, or why the controller stops
//! policy    how far one sync may go, up and down
//! decide    all of it -> the next number of replicas, and what decided
//! metric_question  an HPA -> what its metrics APIs are asked; metric_reads  at which path
//! ```
//!
//! Arithmetic is the controller's own: whole milli-units, truncated percentages and averages, `f64` ratios in
//! the controller's order of operations. What only the controller's memory knows (recommendations and its own
//! earlier rescales) comes in as [`Memory`], which says how much of it is known.
//!
//! Source: `k8s.io/kubernetes/pkg/controller/podautoscaler`, 1.36 and later. Must not: read the cluster, or
//! word messages for people; that is [`crate::diagnose::explain`].

mod combine;
pub(crate) mod decide;
pub mod metric_question;
pub mod metric_reads;
mod number;
mod per_pod;
mod pods;
mod policy;
pub(crate) mod propose;
mod requests;
mod spec;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use combine::{Combined, combine};
pub use decide::{Cause, Decision, Hold, Input, Memory, decide};
pub use number::{Milli, milli};
pub use pods::{Counts, Phase, Pod, Readiness, Sample};
pub use policy::{Policies, Policy, Rules, down_limit, up_limit};
pub use propose::{Measured, MetricError, Outcome, Proposal, Reading, World, propose};
pub use spec::{Behavior, Controller, Direction, Hpa, Metric, Source, TOLERANCE, Target};
