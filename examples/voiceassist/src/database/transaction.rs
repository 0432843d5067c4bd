//! Transactions.

use std::sync::Arc;

use sqlx::{PgConnection, postgres::Postgres};

use super::{ask::Ask, error::DatabaseError, profiler::DatabaseMetrics, statement::Statement};

/// A transaction. Dropped without [`Transaction::commit`], it changed nothing.
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, Postgres>,
    metrics: Arc<DatabaseMetrics>,
}

impl Transaction {
    pub(super) fn new(inner: sqlx::Transaction<'static, Postgres>, metrics: Arc<DatabaseMetrics>) -> Self {
        Self { inner, metrics }
    }

    /// Begins a query in the transaction.
    pub fn ask(&mut self, statement: &'static Statement) -> Ask<'_> {
        Ask::in_transaction(self, statement)
    }

    /// Makes all of it last. After an error nobody knows whether it does.
    ///
    /// # Errors
    /// If PostgreSQL did not say that it is done.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        self.inner
            .commit()
            .await
            .map_err(|source| DatabaseError::new("commit", source))
    }

    pub(super) fn parts(&mut self) -> (&mut PgConnection, &DatabaseMetrics) {
        (&mut self.inner, &self.metrics)
    }
}
