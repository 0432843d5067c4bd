//! From a resource's metrics to queries for Prometheus, and from answers to numbers that are true or missing.

pub mod condition;
pub mod freshness;
pub mod promql;
pub mod registration;
