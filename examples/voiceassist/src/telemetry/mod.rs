//! What the service says of itself: metrics, one log line for each request, and the trace that a request belongs to.

pub mod exposition;
pub mod log;
pub mod operations;
pub mod quantiles;
pub mod request;
pub mod trace_context;
