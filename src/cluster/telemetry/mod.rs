//! What each server reports about itself: logs, metrics and health.
//!
//! [`log`] sets up tracing once per process; [`http`] serves `/healthz`, `/readyz` and `/metrics` on a plain
//! port. A metric family belongs to the module that counts it, not here.

pub mod http;
pub mod log;
