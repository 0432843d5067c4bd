//! The types of data files in a scenario. Their docs are descriptions of the published schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file with rows, whose columns are variables: `{{users.email}}` is the column `email` of the data `users`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataDocument {
    /// File beside the scenario: CSV (a name that ends in .csv) with the names of the columns in its first
    /// line, or JSON (.json), a list of objects with equal fields.
    pub file: String,
    /// Which row a turn of the journey gets. `perUser`: each user has one row, by its number. `inOrder`: each
    /// turn gets the next row. `random`: each turn gets any row. After the last row comes the first. Default:
    /// perUser.
    #[serde(default)]
    #[schemars(extend("enum" = ["perUser", "inOrder", "random", null]))]
    pub order: Option<String>,
}
