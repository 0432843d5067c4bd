//! What a run brought: counts, latencies, what the cluster did, and the checks of it.

pub mod achieved;
pub mod cause;
pub mod chain;
pub mod check;
pub mod latencies;
pub mod measured;
pub mod scaling;
pub mod traffic;
