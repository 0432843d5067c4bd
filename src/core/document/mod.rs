//! From text to a checked document: YAML with the place of each value, and the checker of schemas.
//!
//! Shared by resources, scenarios and configuration files. Must not: know what a document means.

pub mod schema;
pub mod yaml;
