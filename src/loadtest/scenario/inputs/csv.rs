//! Comma-separated values (RFC 4180): cells may be quoted, and a quoted cell may have commas, line breaks and
//! doubled quotes. The first line names the columns.

use super::table::{Table, TableError};

/// Reads the rows of a file. Blank lines are left out.
pub(super) fn parse(text: &str) -> Result<Table, TableError> {
    // Spreadsheets write a byte order mark before the first name.
    let mut lines = Lines {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        number: 0,
    };
    let Some((_, names)) = lines.next_row()? else {
        return Err(TableError::Empty);
    };
    let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
    let wanted = names.len();
    let mut table = Table::new(names)?;
    while let Some((line, cells)) = lines.next_row()? {
        if cells.len() != wanted {
            let found = cells.len();
            return Err(TableError::Cells { line, found, wanted });
        }
        table.push(cells.iter().map(String::as_str))?;
    }
    table.complete()
}

/// What is left of a file.
struct Lines<'a> {
    rest: &'a str,
    /// Number of lines that were read.
    number: usize,
}

impl<'a> Lines<'a> {
    /// The cells of the next row that is not blank, with the number of its first line.
    fn next_row(&mut self) -> Result<Option<(usize, Vec<String>)>, TableError> {
        while !self.rest.is_empty() {
            let line = self.number + 1;
            let cells = self.row()?;
            if cells.iter().any(|cell| !cell.is_empty()) || cells.len() > 1 {
                return Ok(Some((line, cells)));
            }
        }
        Ok(None)
    }

    fn row(&mut self) -> Result<Vec<String>, TableError> {
        let mut cells = Vec::new();
        loop {
            cells.push(self.cell()?);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            self.number += 1;
            let rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
            self.rest = rest.strip_prefix('\n').unwrap_or(rest);
            return Ok(cells);
        }
    }

    /// One cell. Afterwards the rest begins with a comma or a line break, or is empty.
    fn cell(&mut self) -> Result<String, TableError> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
            let cell = self.until(end);
            // A line may end with CR and LF.
            return Ok(if self.rest.starts_with(',') {
                cell.to_owned()
            } else {
                cell.strip_suffix('\r').unwrap_or(cell).to_owned()
            });
        };
        let unclosed = TableError::Quote(self.number + 1);
        self.rest = quoted;
        let mut cell = String::new();
        loop {
            let Some(end) = self.rest.find('"') else {
                return Err(unclosed);
            };
            let part = self.until(end);
            self.number += part.matches('\n').count();
            cell.push_str(part);
            self.rest = self.rest.strip_prefix('"').unwrap_or(self.rest);
            match self.rest.strip_prefix('"') {
                Some(rest) => {
                    cell.push('"');
                    self.rest = rest;
                }
                None if self.rest.is_empty() || self.rest.starts_with([',', '\r', '\n']) => return Ok(cell),
                None => return Err(unclosed),
            }
        }
    }

    /// Takes the text up to a position.
    fn until(&mut self, end: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str) -> Result<Vec<Vec<String>>, TableError> {
        let table = parse(text)?;
        let row = |row| {
            let cells = 0..table.columns().len();
            cells
                .map(|column| table.cell(row, column).unwrap().to_owned())
                .collect()
        };
        Ok((0..table.rows()).map(row).collect())
    }

    #[test]
    fn cells_are_read_as_spreadsheets_write_them() {
        for (text, expected) in [
            ("a,b\n1,2\n3,4\n", vec![vec!["1", "2"], vec!["3", "4"]]),
            (
                "\u{feff}a, b\r\n1,2\r\n\r\n3,\r\n",
                vec![vec!["1", "2"], vec!["3", ""]],
            ),
            (
                "a,b\n\"x, \"\"y\"\"\",\"two\nlines\"\n",
                vec![vec!["x, \"y\"", "two\nlines"]],
            ),
            ("a\n1\n\n2", vec![vec!["1"], vec!["2"]]),
            ("a,b\n,\n\"\",x", vec![vec!["", ""], vec!["", "x"]]),
        ] {
            assert_eq!(rows(text).unwrap(), expected, "{text:?}");
        }
        assert_eq!(parse("a, b\n1,2").unwrap().columns(), ["a", "b"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, words) in [
            ("", "has no rows"),
            ("a,b\n", "has no rows"),
            ("a,b\n1,2\n3\n", "line 3: has 1 cells"),
            ("a,b\n\"1\n1\",2\n3,4,5\n", "line 4: has 3 cells"),
            ("a\n\"x\n", "line 2: a quoted cell"),
            ("a\n\"x\"y\n", "line 2: a quoted cell"),
            ("a,a\n1,2", "\"a\" twice"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_rows_or_refused(text in "[a,\"\r\n ]{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_was_quoted_is_read_as_it_was(cells in prop::collection::vec("[a-z,\"\r\n ]{0,5}", 1..4)) {
            let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            let names: Vec<String> = (0..cells.len()).map(|index| format!("c{index}")).collect();
            let text = format!("{}\nx{}\n{}\n", names.join(","), ",".repeat(cells.len() - 1), quoted.join(","));
            let read = rows(&text).unwrap();
            prop_assert!(read.len() == 1 || read[1] == cells);
        }
    }
}
