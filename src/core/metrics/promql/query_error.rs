//! Why a query of an author is refused.

use super::{Contradiction, TooFar};

/// Why a query cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The query is longer or more deeply nested than accepted.
    #[error("too complex: at most {most} {what}; use a recording rule")]
    TooComplex {
        /// The greatest accepted count.
        most: usize,
        /// What is counted, for example `tokens`.
        what: &'static str,
    },
    /// The text is not PromQL.
    #[error("not PromQL: {0}")]
    Malformed(String),
    /// The result would be a string or a range.
    #[error("the result must be a number or an instant vector, not a {0}")]
    WrongType(&'static str),
    /// The query has a construct that cannot be bound to a namespace.
    #[error("{0} cannot be bound to the namespace; leave it out")]
    Unsupported(&'static str),
    /// The query would make Prometheus read or compute too much.
    #[error(transparent)]
    TooFar(#[from] TooFar),
    /// The query selects series that it is never shown.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}
