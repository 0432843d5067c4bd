//! Merges what a user wrote for an environment and checks it. The result is a [`model::Scaling`], which
//! cannot hold a wrong value.

pub mod environment;
pub mod field_path;
pub mod model;
pub mod rules;
