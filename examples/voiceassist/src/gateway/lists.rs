//! How lists are read. The usual ways are the fast ones; the others are there to be measured beside them.

use clap::ValueEnum;
use sqlx::{FromRow, postgres::PgRow};
use uuid::Uuid;

use super::state::Gateway;
use crate::{
    database::{DatabaseError, Statement},
    http::{Page, PageParams, Paging},
};

/// Ways in which lists are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lists {
    /// How a page finds its first row.
    pub paging: Paging,
    /// How its rows are read.
    pub rows: Rows,
}

/// How the rows of a page are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Rows {
    /// By the query of the list.
    #[default]
    Together,
    /// Each once more by its identifier, which is the pattern N+1.
    Each,
}

impl Gateway {
    /// The page of the rows that the query of a list gave. Where rows are read one by one, each is asked for again with
    /// `one`.
    pub(super) async fn page<T: for<'r> FromRow<'r, PgRow>>(
        &self,
        params: &PageParams,
        rows: Vec<T>,
        one: &'static Statement,
        id: impl Fn(&T) -> Uuid,
    ) -> Result<Page<T>, DatabaseError> {
        let rows = match self.lists.rows {
            Rows::Together => rows,
            Rows::Each => {
                let mut each = Vec::with_capacity(rows.len());
                for row in &rows {
                    each.extend(self.database.ask(one).bind(id(row)).optional().await?);
                }
                each
            }
        };
        Ok(params.page_by(self.lists.paging, rows, id))
    }
}
