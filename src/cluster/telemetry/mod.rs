//! What each server reports about itself: logs, metrics and health.
//!
//! [`log`] sets up tracing once per process; [`http`] serves `/healthz`, `/readyz` and `/metrics` on a plain
//! port, with the bound on scrapes that [`scrapes`] has. A metric family belongs to the module that counts it, not here.

pub mod api_requests;
pub mod exposed;
pub mod families;
pub mod http;
pub mod log;
pub mod process;
pub mod scrapes;
