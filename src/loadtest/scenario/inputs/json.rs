//! A list of objects with equal fields, as JSON.

use serde_json::{Map, Value};

use super::table::{Table, TableError};

/// Reads the rows of a file. A field that is no text becomes the text of its JSON.
pub(super) fn parse(bytes: &[u8]) -> Result<Table, TableError> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| TableError::NotJson(error.to_string()))?;
    let Value::Array(rows) = value else {
        return Err(TableError::NotRows);
    };
    let Some(first) = rows.first() else {
        return Err(TableError::Empty);
    };
    let first = first.as_object().ok_or(TableError::NotRows)?;
    let columns: Vec<String> = first.keys().cloned().collect();
    let mut table = Table::new(columns.clone())?;
    for (index, row) in rows.iter().enumerate() {
        let row = row.as_object().ok_or(TableError::NotRows)?;
        let cells = cells(index + 1, row, &columns)?;
        table.push(cells.iter().map(String::as_str))?;
    }
    table.complete()
}

/// The cells of a row, in the order of the columns.
fn cells(number: usize, row: &Map<String, Value>, columns: &[String]) -> Result<Vec<String>, TableError> {
    let unlike = || TableError::Fields {
        row: number,
        wanted: columns.join(", "),
    };
    if row.len() != columns.len() {
        return Err(unlike());
    }
    let cell = |column: &String| match row.get(column) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Null) => Err(TableError::Null {
            row: number,
            field: column.clone(),
        }),
        Some(other) => Ok(other.to_string()),
        None => Err(unlike()),
    };
    columns.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_columns() {
        let text = r#"[{"name": "a", "age": 3, "tags": ["x"]}, {"age": 4.5, "name": "b", "tags": true}]"#;
        let table = parse(text.as_bytes()).unwrap();
        let cell = |row, column| table.cell(row, table.column(column).unwrap()).unwrap();
        assert_eq!(
            (cell(0, "name"), cell(0, "age"), cell(0, "tags")),
            ("a", "3", "[\"x\"]")
        );
        assert_eq!(
            (cell(1, "name"), cell(1, "age"), cell(1, "tags")),
            ("b", "4.5", "true")
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_row() {
        for (text, words) in [
            ("{}", "must be a list of objects"),
            ("[1]", "must be a list of objects"),
            ("[]", "has no rows"),
            ("[{}]", "has no rows"),
            ("[{", "is not JSON: "),
            (
                r#"[{"a": 1}, {"b": 1}]"#,
                "row 2: must have the fields of the first row: a",
            ),
            (r#"[{"a": 1}, {"a": null}]"#, "row 2: \"a\" is null"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
