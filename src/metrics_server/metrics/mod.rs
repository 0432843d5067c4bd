//! The served metrics: their registry, their values in memory, and reads of them.

pub(crate) mod availability;
pub(crate) mod exported;
#[cfg(test)]
mod isolation;
mod live_pod;
#[cfg(test)]
mod past;
pub mod path;
pub mod payload;
pub mod pod_index;
pub mod reads;
pub mod registry;
mod resource_names;
pub mod store;
pub(crate) mod watches;
