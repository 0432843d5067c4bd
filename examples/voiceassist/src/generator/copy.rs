//! COPY: rows as text, sent in pieces of about a megabyte.

use std::fmt::Display;

use sqlx::{PgConnection, postgres::PgCopyIn};

/// Bytes that are collected before they are sent.
const PIECE: usize = 1 << 20;

/// Loads tables on one connection.
pub(super) struct Copy<'c>(&'c mut PgConnection);

/// A table that is being loaded.
pub(super) struct Table<'c> {
    stream: PgCopyIn<&'c mut PgConnection>,
    buffer: Vec<u8>,
}

impl<'c> Copy<'c> {
    pub(super) fn new(connection: &'c mut PgConnection) -> Self {
        Self(connection)
    }

    /// Begins to load a table; `table` names its columns.
    pub(super) async fn table(&mut self, table: &'static str) -> Result<Table<'_>, sqlx::Error> {
        let stream = self.0.copy_in_raw(&format!("copy {table} from stdin")).await?;
        Ok(Table {
            stream,
            buffer: Vec::with_capacity(PIECE + 4096),
        })
    }
}

impl Table<'_> {
    /// Adds a row. The generator's values have no tab, backslash or end of line, so nothing is escaped.
    pub(super) async fn row(&mut self, values: &[&dyn Display]) -> Result<(), sqlx::Error> {
        use std::io::Write as _;
        for (number, value) in values.iter().enumerate() {
            let before = if number == 0 { "" } else { "\t" };
            write!(self.buffer, "{before}{value}")?;
        }
        self.buffer.push(b'\n');
        if self.buffer.len() >= PIECE {
            self.stream.send(self.buffer.as_slice()).await?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Sends the rest, and waits until all of it is there.
    pub(super) async fn finish(mut self) -> Result<(), sqlx::Error> {
        self.stream.send(self.buffer.as_slice()).await?;
        self.stream.finish().await.map(drop)
    }
}
