//! The children as they should be: one builder per kind, from the validated model to the typed object.
//!
//! A builder writes every field vas has an opinion on, with the API server's own defaults spelled out, and
//! nothing else: applying an unchanged object is then a no-op, and what others set beside it stays. The
//! same set of values always gives the same object. Must not: know whether the child exists, whose it is, or
//! what the cluster serves.

pub mod hpa;
pub mod limit_range;
pub mod meta;
pub mod pdb;
pub mod resource_quota;
#[cfg(test)]
mod testing;
pub mod vpa;
