//! One query: a statement, its values, and the connection it runs on.

use std::ops::{Deref, DerefMut};

use sqlx::{
    Arguments as _, Encode, Executor as _, FromRow, PgConnection, Postgres, Type,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
};

use super::{
    error::DatabaseError, pool::Database, profiler::DatabaseMetrics, statement::Statement,
    transaction::Transaction,
};
use crate::clock;

/// A query that is being put together. Nothing is sent before one of its last methods.
#[must_use]
pub struct Ask<'c> {
    on: On<'c>,
    statement: &'static Statement,
    arguments: Result<PgArguments, sqlx::Error>,
}

enum On<'c> {
    Pool(&'c Database),
    Transaction(&'c mut Transaction),
}

impl<'c> Ask<'c> {
    pub(super) fn on_pool(database: &'c Database, statement: &'static Statement) -> Self {
        Self {
            on: On::Pool(database),
            statement,
            arguments: Ok(PgArguments::default()),
        }
    }

    pub(super) fn in_transaction(transaction: &'c mut Transaction, statement: &'static Statement) -> Self {
        Self {
            on: On::Transaction(transaction),
            statement,
            arguments: Ok(PgArguments::default()),
        }
    }

    /// Binds the next value.
    pub fn bind<'q, T: Encode<'q, Postgres> + Type<Postgres>>(mut self, value: T) -> Self {
        if let Ok(arguments) = &mut self.arguments
            && let Err(error) = arguments.add(value)
        {
            self.arguments = Err(sqlx::Error::Encode(error));
        }
        self
    }

    /// All rows. The statement has a limit.
    ///
    /// # Errors
    /// If the query failed, or a row is none of a `T`.
    pub async fn all<T: for<'r> FromRow<'r, PgRow>>(self) -> Result<Vec<T>, DatabaseError> {
        let name = self.statement.name;
        let rows = self.rows().await?;
        rows.iter()
            .map(T::from_row)
            .collect::<Result<_, _>>()
            .map_err(|source| DatabaseError::new(name, source))
    }

    /// The row, if there is one.
    ///
    /// # Errors
    /// As for [`Ask::all`].
    pub async fn optional<T: for<'r> FromRow<'r, PgRow>>(self) -> Result<Option<T>, DatabaseError> {
        Ok(self.all().await?.into_iter().next())
    }

    /// The one row that there always is.
    ///
    /// # Errors
    /// As for [`Ask::all`], and if there is none.
    pub async fn one<T: for<'r> FromRow<'r, PgRow>>(self) -> Result<T, DatabaseError> {
        let name = self.statement.name;
        self.optional()
            .await?
            .ok_or(DatabaseError::new(name, sqlx::Error::RowNotFound))
    }

    /// Runs a statement without rows, and returns how many it changed.
    ///
    /// # Errors
    /// If the query failed.
    pub async fn run(self) -> Result<u64, DatabaseError> {
        let Self {
            on,
            statement,
            arguments,
        } = self;
        let failed = |source| DatabaseError::new(statement.name, source);
        let query = sqlx::query_with(statement.sql, arguments.map_err(failed)?);
        let (mut connection, metrics) = on.connection(statement.name).await?;
        let done = profiled(metrics, statement, connection.execute(query)).await;
        Ok(done.map_err(failed)?.rows_affected())
    }

    async fn rows(self) -> Result<Vec<PgRow>, DatabaseError> {
        let Self {
            on,
            statement,
            arguments,
        } = self;
        let failed = |source| DatabaseError::new(statement.name, source);
        let query = sqlx::query_with(statement.sql, arguments.map_err(failed)?);
        let (mut connection, metrics) = on.connection(statement.name).await?;
        profiled(metrics, statement, connection.fetch_all(query))
            .await
            .map_err(failed)
    }
}

impl<'c> On<'c> {
    /// The connection to run a statement of this name on, and where to count it.
    async fn connection(self, name: &'static str) -> Result<(Held<'c>, &'c DatabaseMetrics), DatabaseError> {
        Ok(match self {
            Self::Pool(database) => {
                let connection = database.acquire(name).await?;
                (Held::Pool(connection), &database.metrics)
            }
            Self::Transaction(transaction) => {
                let (connection, metrics) = transaction.parts();
                (Held::Transaction(connection), metrics)
            }
        })
    }
}

/// A connection for one statement.
enum Held<'c> {
    /// It goes back to the pool.
    Pool(PoolConnection<Postgres>),
    Transaction(&'c mut PgConnection),
}

impl Deref for Held<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Pool(connection) => connection,
            Self::Transaction(connection) => connection,
        }
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Pool(connection) => connection,
            Self::Transaction(connection) => connection,
        }
    }
}

/// Runs the query, and tells the profiler how long it took. The wait for a connection is not in it.
async fn profiled<T>(
    metrics: &DatabaseMetrics,
    statement: &'static Statement,
    query: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let began = clock::now();
    let done = query.await;
    metrics.ran(statement, began.elapsed());
    done
}
