//! PostgreSQL: the pool, statements with names, transactions, migrations, and what became of each query.
//!
//! Every query goes through [`Ask`], so none escapes the profiler. SQL is a constant with a name ([`Statement`]); values are
//! only ever bound. The macros of sqlx that check queries at build time take the text where it is used and give it no name,
//! so a test prepares each statement on a real PostgreSQL instead.

mod ask;
mod error;
mod migrations;
mod pool;
mod profiler;
mod statement;
mod transaction;

pub use self::{
    ask::Ask,
    error::{DatabaseError, Kind},
    migrations::{MIGRATIONS, migrate},
    pool::{Database, PoolLimits},
    profiler::{DatabaseMetrics, REQUEST, RequestProfile},
    statement::Statement,
    transaction::Transaction,
};

/// Statements of this module.
pub const STATEMENTS: &[&Statement] = &[&migrations::APPLIED];
