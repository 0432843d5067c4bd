//! Turns a valid resource and the observed cluster into children to write, conditions and Events.

pub mod child;
pub mod contest;
pub mod desired;
pub mod drift;
pub mod events;
pub mod metrics_server;
pub mod observed;
pub mod outcome;
pub mod packed;
pub mod plan;
#[cfg(test)]
mod properties;
pub mod status;
pub mod suspend;
#[cfg(test)]
pub(crate) mod testing;
pub mod triggers;
pub mod vpa_support;
