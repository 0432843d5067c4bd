//! Queries Prometheus: instant and range queries over its HTTP API, with limits on time and size, and strict parsing of
//! the answer.
//!
//! Must not: know resources, shapes, or the meaning of a value (see [`vas_core::metrics::promql`]).
//! Whatever Prometheus, or a proxy in front of it, sends, the outcome is a complete vector or a typed error
//! with Prometheus' own words.

#[cfg(test)]
extern crate self as vas_prometheus;

mod body;
mod client;
pub mod config;
#[cfg(test)]
mod fuzz_corpus;
#[cfg(test)]
mod real_prometheus;
pub mod response;
pub mod servers;
mod settings;
pub mod turns;

pub use client::{Client, QueryError, Range};
pub use response::{InstantAnswer, ResponseError, parse as parse_answer};
pub use settings::{BuildError, ClientSettings, Limits, ca_certificates};
