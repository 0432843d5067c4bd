//! Asking Prometheus: instant queries over its HTTP API, with bounds on time and size and a strict reading
//! of the answer.
//!
//! Must not: know resources, shapes or what a value means (see [`crate::core::metrics::promql`]). Whatever Prometheus
//! or something in front of it sends, the outcome is a clean vector or a typed error in Prometheus' own words.

mod body;
mod client;
pub(crate) mod config;
pub mod response;
pub(crate) mod servers;
mod settings;
pub(crate) mod turns;

pub use client::{BuildError, Client, Limits, QueryError};
pub use response::{InstantAnswer, ResponseError, parse as parse_answer};
pub use settings::Settings;
