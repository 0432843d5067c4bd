//! What the servers tell about themselves: logs, metrics, health.
//!
//! [`log`] sets up tracing once per process; [`http`] serves `/healthz`, `/readyz` and `/metrics` on a
//! plain port. Metric families belong to the part that counts them, not here.

pub mod http;
pub mod log;
