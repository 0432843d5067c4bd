//! What users send besides constant text and what they extract from answers: rows of data files, generated
//! values, and the environment.
//!
//! ```text
//! document   as it is written                read       from there to the model
//! table      rows of a file                  csv, json  the two forms of such files
//! generator  values that are made up
//! ```
//!
//! Must not: read files, make random numbers, or know the time. The engine does.

mod csv;
pub mod document;
mod generator;
mod json;
mod read;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

pub(super) use self::read::read;
pub use self::{
    generator::{Generator, Stamp},
    table::Table,
};
use super::environment::Secrets;

/// Variables that every user has: `user` is the number of the user, `iteration` counts the journeys that it
/// has begun before.
pub(super) const GIVEN: [&str; 2] = ["user", "iteration"];

/// What users send besides constant text and what they extract from answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Files with rows, by the name under which their columns are variables.
    pub data: BTreeMap<String, Data>,
    /// Values that are made up at the beginning of each turn, by the name of their variable.
    pub values: BTreeMap<String, Generator>,
    /// Where random numbers begin, so that each user gets the same ones in each run; `None`: anywhere.
    pub seed: Option<u64>,
    /// What the setup extracts, and every user has.
    pub shared: Shared,
    /// Names of the variables of the environment that the scenario has.
    pub environment: BTreeSet<String>,
    /// Their values.
    pub secrets: Secrets,
}

/// Variables that the setup extracts. Their values are there once it has been done, and are shown nowhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Shared {
    /// Names of the variables.
    pub names: BTreeSet<String>,
    /// The values, by name; empty before the setup.
    pub values: BTreeMap<String, String>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.names).finish()
    }
}

/// A file with rows, whose columns are variables: `{{users.email}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Name of the file, as the scenario has it.
    pub file: String,
    /// Which row a turn gets.
    pub order: Order,
    /// The rows; at least one.
    pub table: Arc<Table>,
}

/// Which row a turn gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Each user has one row, by its number. After the last row comes the first.
    #[default]
    PerUser,
    /// Each turn, of whichever user, gets the next row. After the last row comes the first.
    InOrder,
    /// Each turn gets any row.
    Random,
}

impl Inputs {
    /// Whether a variable has a value before the first step of each journey.
    pub fn has(&self, name: &str) -> bool {
        let column = |(data, column): (&str, &str)| {
            let data = self.data.get(data);
            data.is_some_and(|data| data.table.column(column).is_some())
        };
        GIVEN.contains(&name)
            || self.values.contains_key(name)
            || self.shared.names.contains(name)
            || name.split_once('.').is_some_and(column)
    }

    /// Why the variable has no value, where no earlier step extracts it.
    pub(super) fn missing(&self, name: &str) -> String {
        let Some((data, _)) = name.split_once('.') else {
            return format!(
                "{{{{{name}}}}} has no value: no earlier step of the journey extracts it, and it is none of values"
            );
        };
        match self.data.get(data) {
            Some(data) => format!(
                "{{{{{name}}}}} has no value: the columns of {} are {}",
                data.file,
                data.table.columns().join(", ")
            ),
            None => format!("{{{{{name}}}}} has no value: there is no data {data:?}"),
        }
    }
}
