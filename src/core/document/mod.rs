//! Turns a text into a checked document: reads YAML with the place of each value, and checks values against a
//! schema.
//!
//! Resources, scenarios and configuration files share this code. Must not: know what a document means.

mod key;
mod problem;
pub mod schema;
pub mod yaml;

pub use key::DisplayKey;
pub use problem::Problem;
