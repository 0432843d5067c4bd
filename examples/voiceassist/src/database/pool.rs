//! The pool: `size` connections that are kept, and up to `overflow` more under load.

use std::{str::FromStr as _, sync::Arc, time::Duration};

use sqlx::{
    PgPool,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions, Postgres},
};

use super::{
    ask::Ask, error::DatabaseError, migrations, profiler::DatabaseMetrics, statement::Statement,
    transaction::Transaction,
};
use crate::clock;

/// Longest that PostgreSQL works on one statement of a request.
const STATEMENT_TIMEOUT: &str = "5000";

/// How many connections one process may have, and how long a request waits for one.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// Connections that are kept.
    pub size: u32,
    /// Connections beyond those.
    pub overflow: u32,
    /// Longest wait for one.
    pub wait: Duration,
}

/// The database, as the rest of the service sees it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pool: PgPool,
    pub(super) metrics: Arc<DatabaseMetrics>,
}

impl Database {
    /// A pool that connects when it is first asked.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn lazy(url: &str, limits: PoolLimits, metrics: Arc<DatabaseMetrics>) -> Result<Self, DatabaseError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|source| DatabaseError::new("connect", source))?
            .application_name("voiceassist")
            .options([("statement_timeout", STATEMENT_TIMEOUT)]);
        let pool = PgPoolOptions::new()
            .min_connections(limits.size)
            .max_connections(limits.size.saturating_add(limits.overflow))
            .acquire_timeout(limits.wait)
            .idle_timeout(Duration::from_secs(30))
            .connect_lazy_with(options);
        metrics.watch(pool.clone(), limits.size);
        Ok(Self { pool, metrics })
    }

    /// Waits until PostgreSQL has answered once, with all migrations of this program. Newer ones do not matter: the program
    /// before the one that brought them must go on.
    pub async fn first_connection(&self) {
        let newest = migrations::newest();
        loop {
            match self.ask(&migrations::APPLIED).one::<(i64,)>().await {
                Ok((applied,)) if applied >= newest => return,
                Ok((applied,)) => tracing::warn!(applied, newest, "waits for the migrations"),
                Err(error) => tracing::warn!(%error, "PostgreSQL does not answer yet, or has no migrations"),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Begins a query of its own.
    pub fn ask(&self, statement: &'static Statement) -> Ask<'_> {
        Ask::on_pool(self, statement)
    }

    /// Begins a transaction. Dropped without a commit, it changed nothing.
    ///
    /// # Errors
    /// If there is no connection.
    pub async fn begin(&self) -> Result<Transaction, DatabaseError> {
        let began = clock::now();
        let transaction = self.pool.begin().await;
        self.metrics.waited(began.elapsed());
        let transaction = transaction.map_err(|source| DatabaseError::new("begin", source))?;
        Ok(Transaction::new(transaction, Arc::clone(&self.metrics)))
    }

    /// Closes all connections once they are free.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) async fn acquire(
        &self,
        statement: &'static str,
    ) -> Result<PoolConnection<Postgres>, DatabaseError> {
        let began = clock::now();
        let connection = self.pool.acquire().await;
        self.metrics.waited(began.elapsed());
        connection.map_err(|source| DatabaseError::new(statement, source))
    }
}
