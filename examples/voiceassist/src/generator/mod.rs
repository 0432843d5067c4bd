//! Accounts and data to try the service with, loaded by COPY in one transaction. The same seed gives the same data.
//!
//! The accounts are those that the scenarios of `vas test` log in as: `user0`, `user1`, ..., `power0`, ..., `admin0`, ...
//! `@voiceassist.example`, all with the password `load-test`. They share one hash: 10,000 hashes would take minutes.

mod copy;
mod rows;
mod words;

use clap::Args;
use sqlx::{Connection as _, PgConnection};
use thiserror::Error;

use self::copy::Copy;
use crate::identity::password;

/// The password of every generated account.
pub const PASSWORD: &str = "load-test";

/// How much is generated.
#[derive(Args, Clone, Copy, Debug)]
pub struct Amounts {
    /// Accounts: of ten, six are users, two power users, two administrators
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    pub accounts: u32,
    /// Messages, ten in each session
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(0..=100_000_000))]
    pub messages: u32,
    /// Documents of the knowledge base
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub documents: u32,
    /// Entries of the audit log
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=100_000_000))]
    pub audit_entries: u32,
    /// Seed of the data
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Why nothing was generated.
#[derive(Debug, Error)]
pub enum GenerateError {
    /// PostgreSQL refused it.
    #[error("the data cannot be loaded: {0}")]
    Database(#[from] sqlx::Error),
    /// The password cannot be hashed.
    #[error("no random numbers for the salt of the password")]
    Salt,
}

/// Loads the data, and says what was loaded.
///
/// # Errors
/// If PostgreSQL does not take it. Then nothing of it is there.
pub async fn generate(url: &str, amounts: Amounts) -> Result<String, GenerateError> {
    let mut connection = PgConnection::connect(url).await?;
    let some: bool = sqlx::query_scalar("select exists (select from users)")
        .fetch_one(&mut connection)
        .await?;
    if some {
        return Ok("there are users already: nothing was generated".to_owned());
    }
    let hash = password::hash(PASSWORD).ok_or(GenerateError::Salt)?;
    let mut transaction = connection.begin().await?;
    let mut copy = Copy::new(&mut transaction);
    let accounts = rows::users(&mut copy, amounts, &hash).await?;
    rows::sessions(&mut copy, amounts, &accounts).await?;
    rows::messages(&mut copy, amounts).await?;
    rows::documents(&mut copy, amounts, &accounts).await?;
    rows::chunks(&mut copy, amounts).await?;
    rows::audit_log(&mut copy, amounts, &accounts).await?;
    rows::feature_flags(&mut copy).await?;
    transaction.commit().await?;
    sqlx::raw_sql("analyze").execute(&mut connection).await?;
    connection.close().await?;
    let Amounts {
        accounts,
        messages,
        documents,
        audit_entries,
        ..
    } = amounts;
    Ok(format!(
        "{accounts} accounts, {messages} messages, {documents} documents, {audit_entries} entries of the audit log"
    ))
}
