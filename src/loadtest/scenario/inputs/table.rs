//! Rows of equal columns, kept in one text: a file may have a million of them.

use std::{fmt, ops::Range};

/// Most rows of a file.
const ROWS: usize = 1_000_000;
/// Most columns of a file.
const COLUMNS: usize = 200;

/// Rows of equal columns.
#[derive(Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    /// All cells, one after another.
    text: String,
    /// Where each cell ends in the text.
    ends: Vec<usize>,
}

/// Why a file has no rows that can be used. Lines and rows count from one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TableError {
    #[error("is not UTF-8")]
    NotText,
    #[error("is not JSON: {0}")]
    NotJson(String),
    #[error("must be a list of objects, such as [{{\"email\": \"a@b.example\"}}]")]
    NotRows,
    #[error("has no rows")]
    Empty,
    #[error("has more than {ROWS} rows")]
    Rows,
    #[error("has more than {COLUMNS} columns")]
    Columns,
    #[error("has the column {0:?} twice")]
    Twice(String),
    #[error("has a column without a name")]
    Unnamed,
    #[error("column {0}: its name has control characters")]
    Control(usize),
    #[error("line {line}: has {found} cells, and the first line names {wanted}")]
    Cells {
        line: usize,
        found: usize,
        wanted: usize,
    },
    #[error("line {0}: a quoted cell is not closed, or text follows its closing quote")]
    Quote(usize),
    #[error("row {row}: must have the fields of the first row: {wanted}")]
    Fields { row: usize, wanted: String },
    #[error("row {row}: {field:?} is null; write a text or a number")]
    Null { row: usize, field: String },
}

impl Table {
    /// A table without rows.
    pub(super) fn new(columns: Vec<String>) -> Result<Self, TableError> {
        if columns.len() > COLUMNS {
            return Err(TableError::Columns);
        }
        for (index, name) in columns.iter().enumerate() {
            if name.is_empty() {
                return Err(TableError::Unnamed);
            }
            // Names are shown on terminals.
            if name.chars().any(char::is_control) {
                return Err(TableError::Control(index + 1));
            }
            if columns.iter().take(index).any(|before| before == name) {
                return Err(TableError::Twice(name.clone()));
            }
        }
        Ok(Self {
            columns,
            text: String::new(),
            ends: Vec::new(),
        })
    }

    /// Adds a row, which must have a cell for each column.
    pub(super) fn push<'a>(&mut self, row: impl IntoIterator<Item = &'a str>) -> Result<(), TableError> {
        if self.rows() >= ROWS {
            return Err(TableError::Rows);
        }
        for cell in row {
            self.text.push_str(cell);
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    /// The table, unless it has no rows.
    pub(super) fn complete(self) -> Result<Self, TableError> {
        if self.rows() == 0 {
            return Err(TableError::Empty);
        }
        Ok(self)
    }

    /// Names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.ends.len().checked_div(self.columns.len()).unwrap_or(0)
    }

    /// The cell of a row and column, both counted from zero.
    pub fn cell(&self, row: usize, column: usize) -> Option<&str> {
        let at = row.checked_mul(self.columns.len())?.checked_add(column)?;
        let begin = match at.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(Range {
            start: begin,
            end: *self.ends.get(at)?,
        })
    }
}

/// Without the cells, which may be passwords.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("columns", &self.columns)
            .field("rows", &self.rows())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_by_row_and_column() {
        let mut table = Table::new(vec!["a".to_owned(), "b".to_owned()]).unwrap();
        assert_eq!(table.clone().complete(), Err(TableError::Empty));
        table.push(["1", ""]).unwrap();
        table.push(["ä", "xyz"]).unwrap();
        assert_eq!((table.rows(), table.column("b")), (2, Some(1)));
        assert_eq!(
            [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(row, column)| table.cell(row, column)),
            [Some("1"), Some(""), Some("ä"), Some("xyz")]
        );
        assert_eq!((table.cell(2, 0), table.cell(usize::MAX, 1)), (None, None));
        assert!(!format!("{table:?}").contains("xyz"));
    }

    #[test]
    fn columns_have_names_of_their_own() {
        let refused = |names: &[&str]| Table::new(names.iter().map(ToString::to_string).collect());
        assert_eq!(refused(&["a", "a"]), Err(TableError::Twice("a".to_owned())));
        assert_eq!(refused(&["a", ""]), Err(TableError::Unnamed));
        assert_eq!(refused(&["a", "b\u{1b}[31m"]), Err(TableError::Control(2)));
        assert_eq!(refused(&["x"; COLUMNS + 1]), Err(TableError::Columns));
    }
}
