//! Servers, two databases with the same rows, and the gateways over them.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use voiceassist::{database::migrate, generator::generate};

use crate::{
    arguments::Size,
    support::{Client, Process, Server, database_url},
};

/// The database that has all indexes, and the one without those of the performance migration.
pub(crate) const INDEXED: &str = "indexed";
pub(crate) const PLAIN: &str = "plain";

/// The indexes that the performance migration creates.
const MIGRATION: &str = include_str!("../../migrations/0003_performance_indexes.sql");

/// One session has every hundredth message, so that its history is long; half of the audit log is one administrator's.
const LONG: &str = "
    update messages set session_id = (select min(id::text)::uuid from sessions where user_id =
        (select id from users where email = 'user0@voiceassist.example')) where abs(hashtext(id::text)) % 100 = 0;
    update audit_log set actor_id = (select id from users where email = 'admin0@voiceassist.example')
        where abs(hashtext(id::text)) % 20 = 0";

/// What is off in a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Off {
    Indexes,
    Paging,
    Rows,
    Cache,
}

/// The variants: nothing is off, one thing, everything.
pub(crate) const VARIANTS: [(&str, &[Off]); 6] = [
    ("all on", &[]),
    ("without indexes", &[Off::Indexes]),
    ("pages by offset", &[Off::Paging]),
    ("row by row", &[Off::Rows]),
    ("without cache", &[Off::Cache]),
    ("all off", &[Off::Indexes, Off::Paging, Off::Rows, Off::Cache]),
];

/// A gateway of a variant.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) off: &'static [Off],
    pub(crate) gateway: Process,
}

/// PostgreSQL with both databases, and Redis.
pub(crate) struct World {
    pub(crate) postgres: Server,
    pub(crate) redis: Server,
    /// The session with the long history.
    pub(crate) session: String,
    /// The administrator with the long audit log.
    pub(crate) admin: String,
}

impl World {
    pub(crate) async fn new(size: Size) -> Self {
        let (postgres, redis) = tokio::join!(Server::postgres(), Server::redis());
        let mut server = connect(&postgres, "postgres").await;
        run(&mut server, format!("create database {INDEXED}")).await;
        let url = database_url(postgres.port, INDEXED);
        migrate(&url).await.unwrap();
        eprintln!("bench: {}", generate(&url, size.amounts).await.unwrap());
        let mut indexed = connect(&postgres, INDEXED).await;
        sqlx::raw_sql(LONG).execute(&mut indexed).await.unwrap();
        let session = text(
            &mut indexed,
            "select session_id::text from messages group by session_id order by count(*) desc limit 1",
        );
        let session = session.await;
        let admin = text(
            &mut indexed,
            "select id::text from users where email = 'admin0@voiceassist.example'",
        )
        .await;
        // A copy of a database has its statistics too.
        run(&mut indexed, "vacuum analyze".to_owned()).await;
        indexed.close().await.unwrap();
        run(&mut server, format!("create database {PLAIN} template {INDEXED}")).await;
        let mut plain = connect(&postgres, PLAIN).await;
        for name in performance_indexes() {
            run(&mut plain, format!("drop index {name}")).await;
        }
        run(&mut server, "checkpoint".to_owned()).await;
        Self {
            postgres,
            redis,
            session,
            admin,
        }
    }

    /// A gateway of each variant. Those that are not asked cost nothing.
    pub(crate) async fn gateways(&self) -> Vec<Variant> {
        let mut variants = Vec::new();
        for (name, off) in VARIANTS {
            let gateway = self.gateway(off, &[]).await;
            variants.push(Variant { name, off, gateway });
        }
        variants
    }

    pub(crate) async fn gateway(&self, off: &[Off], more: &[&str]) -> Process {
        let database = if off.contains(&Off::Indexes) {
            PLAIN
        } else {
            INDEXED
        };
        let redis = format!("redis://127.0.0.1:{}/", self.redis.port);
        let mut flags = vec!["--redis-url", redis.as_str(), "--embedding-cost", "20ms"];
        for (what, flag) in [
            (Off::Paging, ["--paging", "offset"]),
            (Off::Rows, ["--rows", "each"]),
            (Off::Cache, ["--cache", "false"]),
        ] {
            if off.contains(&what) {
                flags.extend(flag);
            }
        }
        flags.extend(more);
        Process::gateway(&database_url(self.postgres.port, database), &flags).await
    }

    /// Tokens of a user and of an administrator.
    pub(crate) async fn tokens(&self, gateway: &Process) -> [String; 2] {
        let client = Client::new(&gateway.address);
        let (user, admin) = tokio::join!(client.logged_in("user0"), client.logged_in("admin0"));
        [user, admin].map(|client| client.token().unwrap().to_owned())
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        connect(&self.postgres, INDEXED).await
    }
}

fn performance_indexes() -> impl Iterator<Item = &'static str> {
    let lines = MIGRATION
        .lines()
        .filter_map(|line| line.strip_prefix("create index "));
    lines.map(|line| line.split(' ').next().unwrap())
}

async fn connect(postgres: &Server, database: &str) -> PgConnection {
    PgConnection::connect(&database_url(postgres.port, database))
        .await
        .unwrap()
}

async fn run(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap();
}

pub(crate) async fn text(connection: &mut PgConnection, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}
