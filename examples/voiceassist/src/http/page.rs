//! Pages by key: a page goes on after the last identifier of the one before. So page 1,000 costs what page 1 costs, and
//! rows that come or go meanwhile move nothing. Newest first.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::problem::Problem;

/// Most rows of a page.
const MOST: i64 = 100;

/// Rows of a page, unless the caller says otherwise.
const USUAL: i64 = 20;

/// How a page finds its first row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Paging {
    /// It is the first one after the last row of the page before.
    #[default]
    Key,
    /// By the number of rows before it, all of which PostgreSQL reads again. `after` is that number, in the form of an
    /// identifier. It is there to be measured beside the other.
    Offset,
}

/// What a caller says of the page it wants: `?limit=50&after=ID`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct PageParams {
    limit: Option<i64>,
    after: Option<Uuid>,
}

/// A page, and where the next one goes on; nothing where this is the last.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// Rows, the newest first.
    pub items: Vec<T>,
    /// The value of `after` for the next page.
    pub next: Option<Uuid>,
}

impl PageParams {
    /// Rows to read: one more than the page has, which tells whether there is a next one.
    ///
    /// # Errors
    /// If the limit is none of 1 to 100.
    pub fn read(&self) -> Result<i64, Problem> {
        match self.limit.unwrap_or(USUAL) {
            limit @ 1..=MOST => Ok(limit + 1),
            other => Err(Problem::invalid(format!("limit is 1 to {MOST}, not {other}"))),
        }
    }

    /// The identifier that all rows of the page are below: the last of the page before, or the greatest there can be.
    pub fn before(&self) -> Uuid {
        self.after.unwrap_or(Uuid::max())
    }

    /// Rows before the page, where pages go by offset.
    pub fn skipped(&self) -> i64 {
        i64::try_from(self.after.unwrap_or_default().as_u128()).unwrap_or(i64::MAX)
    }

    /// The page of what was read, in the same form for both ways of paging.
    pub fn page_by<T>(&self, paging: Paging, rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let page = self.page(rows, id);
        match paging {
            Paging::Key => page,
            Paging::Offset => {
                let shown = self.skipped().saturating_add(self.limit.unwrap_or(USUAL));
                let after = Uuid::from_u128(u128::from(shown.unsigned_abs()));
                Page {
                    next: page.next.map(|_| after),
                    ..page
                }
            }
        }
    }

    /// The page of what was read.
    pub fn page<T>(&self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let limit = usize::try_from(self.limit.unwrap_or(USUAL)).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(id) } else { None };
        Page { items: rows, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_after_its_last_row_if_one_more_was_there() {
        let params = PageParams {
            limit: Some(2),
            after: None,
        };
        let ids = [Uuid::from_u128(3), Uuid::from_u128(2), Uuid::from_u128(1)];
        assert_eq!(params.read().unwrap(), 3);
        let page = params.page(ids.to_vec(), |id| *id);
        assert_eq!((page.items.len(), page.next), (2, Some(ids[1])));
        assert_eq!(params.page(ids[1..].to_vec(), |id| *id).next, None);
    }

    #[test]
    fn a_page_by_offset_goes_on_after_the_rows_that_were_shown() {
        let rows = || [3, 2, 1].map(Uuid::from_u128).to_vec();
        let first = PageParams {
            limit: Some(2),
            after: None,
        };
        let after = first.page_by(Paging::Offset, rows(), |id| *id).next;
        let second = PageParams { after, ..first };
        assert_eq!((first.skipped(), second.skipped()), (0, 2));
        assert_eq!(
            second.page_by(Paging::Offset, rows(), |id| *id).next,
            Some(Uuid::from_u128(4))
        );
        let far = PageParams {
            after: Some(Uuid::max()),
            ..first
        };
        assert_eq!(
            far.skipped(),
            i64::MAX,
            "an identifier of the other way is beyond the last row"
        );
    }

    #[test]
    fn limits_are_enforced() {
        for limit in [-1, 0, 101, i64::MAX] {
            assert!(
                PageParams {
                    limit: Some(limit),
                    after: None
                }
                .read()
                .is_err(),
                "{limit}"
            );
        }
    }
}
