//! What a user wrote, merged for an environment and checked: [`model::Scaling`], which cannot be wrong.

pub mod environment;
pub mod field_path;
pub mod model;
pub mod rules;
