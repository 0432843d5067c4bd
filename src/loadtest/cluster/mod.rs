//! What tests need of a cluster: the resource by its name, one of its workloads, and answers in time.

pub mod error;
mod production;
pub mod resource;
