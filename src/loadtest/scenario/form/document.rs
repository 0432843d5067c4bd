//! The types of forms with files. Their docs are descriptions of the published schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One part of a form with files: exactly one of `value` and `file`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldDocument {
    /// Name of the field.
    pub name: String,
    /// Its value; it may have variables.
    #[serde(default)]
    pub value: Option<String>,
    /// File beside the scenario, whose bytes are sent as they are.
    #[serde(default)]
    pub file: Option<String>,
    /// Name of the file as the server sees it. Default: the last part of `file`.
    #[serde(default)]
    pub file_name: Option<String>,
    /// Content-Type of the part. Default: none for a value, application/octet-stream for a file.
    #[serde(default)]
    pub content_type: Option<String>,
}
