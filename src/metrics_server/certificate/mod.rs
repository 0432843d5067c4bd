//! The serving certificate that the aggregation layer trusts: how it is issued, shared by replicas, and
//! rotated.

pub(crate) mod api_services;
mod ca_bundle;
pub(crate) mod files;
pub(crate) mod issue;
pub(crate) mod key_pair;
pub(crate) mod rotation;
pub(crate) mod secret;
pub(crate) mod shared;
