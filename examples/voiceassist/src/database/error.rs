//! What a failed query means to whoever asked.

use thiserror::Error;

/// A query that failed.
#[derive(Debug, Error)]
#[error("{statement}: {source}")]
pub struct DatabaseError {
    /// Name of the statement, or what was done instead of one.
    pub statement: &'static str,
    /// What the driver says.
    pub source: sqlx::Error,
}

/// Kinds of failures that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No connection within the wait, PostgreSQL is away, is ending, or has no room: it may work again later.
    Unavailable,
    /// A unique constraint: there is such a row already.
    Conflict,
    /// A foreign key: what the row refers to is gone.
    Gone,
    /// A value that PostgreSQL cannot store, such as a text with a zero byte.
    Invalid,
    /// A fault of ours.
    Fault,
}

impl DatabaseError {
    pub(super) fn new(statement: &'static str, source: sqlx::Error) -> Self {
        Self { statement, source }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match &self.source {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Kind::Unavailable,
            sqlx::Error::Database(error) => error.code().map_or(Kind::Fault, |code| of_code(&code)),
            _ => Kind::Fault,
        }
    }
}

/// The kind of an SQLSTATE: 53100 is a full disk, 57P01 an administrator's stop, 23505 a value that must be unique.
fn of_code(code: &str) -> Kind {
    match code {
        "23505" => Kind::Conflict,
        "23503" => Kind::Gone,
        "23514" | "22001" | "22021" | "22P05" => Kind::Invalid,
        // 57014 is a statement that took longer than its timeout; 40001 and 40P01 were rolled back for another
        "57014" | "40001" | "40P01" => Kind::Unavailable,
        _ if ["08", "53", "57", "58"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Kind::Unavailable
        }
        _ => Kind::Fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_work_again_is_told_from_what_never_will() {
        for (code, kind) in [
            ("53100", Kind::Unavailable),
            ("53300", Kind::Unavailable),
            ("57P01", Kind::Unavailable),
            ("08006", Kind::Unavailable),
            ("23505", Kind::Conflict),
            ("23503", Kind::Gone),
            ("22021", Kind::Invalid),
            ("42601", Kind::Fault),
        ] {
            assert_eq!(of_code(code), kind, "{code}");
        }
        let timed_out = DatabaseError::new("users.by_email", sqlx::Error::PoolTimedOut);
        assert_eq!(timed_out.kind(), Kind::Unavailable);
    }
}
