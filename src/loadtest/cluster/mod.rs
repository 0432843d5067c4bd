//! What tests need of a cluster: the resource by its name, one of its workloads, and bounded waits for
//! answers.

pub mod error;
pub mod hold_patch;
mod production;
pub mod resource;
