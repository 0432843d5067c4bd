//! `vas operator` on a real control plane: what it writes, what it leaves alone, and what it survives.
//!
//! Each test runs an operator of its own that sees only the test's namespace.

mod children;
mod collisions;
mod costs;
mod drift;
mod faults;
pub(crate) mod fixture;
mod leadership;
mod many;
mod migration;
mod schedules;
mod suspended;
mod targets;
