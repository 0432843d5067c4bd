//! A stack of its own for each test: a database that is a copy of a migrated one with accounts, a gateway, a worker.
//! PostgreSQL is shared by all tests of a run.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection as _, PgConnection};
use tokio::sync::OnceCell;
use voiceassist::{
    database::migrate,
    generator::{Amounts, generate},
};

use super::{client::Client, process::Process, server::Server};

/// Of ten accounts six are users: user0 to user299, power0 to power99, admin0 to admin99.
const AMOUNTS: Amounts = Amounts {
    accounts: 500,
    messages: 1000,
    documents: 100,
    audit_entries: 200,
    seed: 1,
};

struct Shared {
    postgres: Server,
}

static SHARED: OnceCell<Shared> = OnceCell::const_new();

/// A database of the shared PostgreSQL.
pub(crate) struct Stack {
    /// Where the database is.
    pub(crate) url: String,
}

pub(crate) fn database_url(port: u16, database: &str) -> String {
    format!("postgres://voiceassist@127.0.0.1:{port}/{database}")
}

impl Stack {
    /// A new database with the accounts and some data.
    pub(crate) async fn new() -> Self {
        Self::copy_of("ready").await
    }

    /// A new database without anything.
    pub(crate) async fn empty() -> Self {
        Self::copy_of("template0").await
    }

    async fn copy_of(template: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let shared = SHARED.get_or_init(Shared::start).await;
        let name = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut admin = connect(&database_url(shared.postgres.port, "postgres")).await;
        let create = format!("create database {name} template {template}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(create))
            .execute(&mut admin)
            .await
            .unwrap();
        Self {
            url: database_url(shared.postgres.port, &name),
        }
    }

    /// A gateway on this database, with further flags.
    pub(crate) async fn gateway(&self, flags: &[&str]) -> (Process, Client) {
        let gateway = Process::gateway(&self.url, flags).await;
        let client = Client::new(&gateway.address);
        (gateway, client)
    }

    /// A worker on this database, with further flags.
    pub(crate) async fn worker(&self, flags: &[&str]) -> Process {
        Process::worker(&self.url, flags).await
    }

    /// A connection of the test's own.
    pub(crate) async fn connect(&self) -> PgConnection {
        connect(&self.url).await
    }

    /// The one number that a query gives.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(&mut self.connect().await)
            .await
            .unwrap()
    }
}

impl Shared {
    async fn start() -> Self {
        let postgres = Server::postgres().await;
        let mut admin = connect(&database_url(postgres.port, "postgres")).await;
        sqlx::raw_sql("create database ready")
            .execute(&mut admin)
            .await
            .unwrap();
        let url = database_url(postgres.port, "ready");
        migrate(&url).await.unwrap();
        generate(&url, AMOUNTS).await.unwrap();
        Self { postgres }
    }
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}
