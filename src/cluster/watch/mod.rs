//! Watches of the API server, and what they keep.

pub(crate) mod cache;
pub mod damping;
