//! The path of a metric: from a resource to queries for Prometheus ([`promql`]), from the answers to values
//! that are right or missing ([`freshness`]), and from those to the condition of the resource
//! ([`condition`]).
//!
//! [`registration`] finds out whether the HPA reads the metrics APIs from us at all.

pub mod condition;
pub mod freshness;
pub mod promql;
pub mod registration;
