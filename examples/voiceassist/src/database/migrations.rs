//! Migrations. They are in the program, so that an image migrates to just what it needs.

use sqlx::{Connection as _, PgConnection, migrate::Migrator};

use super::{error::DatabaseError, statement::Statement};

/// The migrations of `migrations/`.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

pub(super) static APPLIED: Statement = Statement::new(
    "migrations.applied",
    "select coalesce(max(version), 0) from _sqlx_migrations where success",
);

/// The version of the newest migration in the program.
pub(super) fn newest() -> i64 {
    MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or_default()
}

/// Brings the database to the newest migration. Of two that run at once one waits for the other (an advisory lock), and
/// each migration is one transaction: half of one is none of it.
///
/// # Errors
/// If PostgreSQL cannot be reached, or a migration fails, or an applied one was changed.
pub async fn migrate(url: &str) -> Result<(), DatabaseError> {
    let failed = |source| DatabaseError::new("migrate", source);
    let mut connection = PgConnection::connect(url).await.map_err(failed)?;
    MIGRATIONS
        .run_direct(None, &mut connection, false)
        .await
        .map_err(|error| failed(sqlx::Error::Migrate(Box::new(error))))?;
    connection.close().await.map_err(failed)
}
