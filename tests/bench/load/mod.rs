//! Load on an HTTP server, and how long its answers took.
//!
//! ```text
//! open    requests at fixed moments, whatever the server does: the latency users see
//! closed  workers that each wait for their answer: the most the server gives
//! http    requests over HTTP/2 and TLS, with a client certificate or a token
//! ```
//! An open loop counts latency from the moment a request was due, not from when it was sent. A server that
//! stalls delays the requests that are due meanwhile, and each of them counts with its delay.

mod closed;
mod http;
mod open;
mod samples;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use self::{
    closed::closed,
    http::{Caller, Http},
    open::open,
    samples::Samples,
};

/// Longest wait for one answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The outcome of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Status 200, with the whole body.
    Answered,
    /// Another status, or no answer. The words are counted, so there are few different ones.
    Failed(String),
    /// No answer within [`PATIENCE`].
    Late,
}
