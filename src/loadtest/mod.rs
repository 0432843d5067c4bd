//! `vas test`: real load, what the cluster did meanwhile, and what to make of it.
//!
//! ```text
//! clock    one time axis for everything: seconds since the load began
//! http     connections, requests, answers
//! engine   sends requests when they are due -> core::loadtest::Measured
//! ```
//!
//! What can be decided without I/O is in `core::loadtest`.

pub mod clock;
pub mod engine;
pub mod http;
