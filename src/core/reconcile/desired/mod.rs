//! The children as they should be: one builder per kind, from the validated model to the typed object.
//!
//! A builder writes every field that vas decides, with the API server's own defaults spelled out, and no
//! other field. So applying an unchanged object changes nothing, and fields that others set stay. The same
//! input always gives the same object. Must not: know whether the child exists, who owns it, or what the
//! cluster serves.

pub mod hpa;
pub mod limit_range;
pub mod meta;
pub mod offline;
pub mod pdb;
pub mod resource_quota;
#[cfg(test)]
mod testing;
pub mod vpa;
