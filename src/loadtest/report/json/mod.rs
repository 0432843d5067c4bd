//! A run as JSON. `docs/load-testing.md` explains the fields. The version changes when a field changes its
//! meaning.

mod document;
mod histogram;
pub(crate) mod read;
mod schema;
mod workload;
mod write;

pub use self::{
    read::{ReadError, Stored, read},
    schema::published as schema,
};
use super::Report;

/// Version of the JSON format.
pub const SCHEMA_VERSION: u32 = 1;

/// The report as one JSON object.
///
/// # Errors
/// When a histogram cannot be encoded, which does not happen with measured ones.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&write::document(report)?)
}

#[cfg(test)]
mod tests;
