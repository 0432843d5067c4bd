//! Plans of the queries: each uses its index, and reads no more rows than its limit needs. A migration that drops an index
//! makes these tests fail.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use voiceassist::{
    database::{Statement, migrate},
    generator::{Amounts, generate},
};

use crate::support::Stack;

/// Enough rows that an index pays.
const AMOUNTS: Amounts = Amounts {
    accounts: 2000,
    messages: 20_000,
    documents: 300,
    audit_entries: 20_000,
    seed: 1,
};

/// The greatest identifier, where a first page begins.
const TOP: &str = "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid";
const USER: &str = "(select id from users where email = 'user7@voiceassist.example')";
const ADMIN: &str = "(select id from users where email = 'admin7@voiceassist.example')";
const SESSION: &str = "(select session_id from messages limit 1)";

/// A statement, its values, the index that serves it, and the most rows that a scan of it may read.
type Case = (&'static str, &'static [&'static str], &'static str, u64);

const CASES: &[Case] = &[
    (
        "users.by_email",
        &["'user7@voiceassist.example'"],
        "users_email_key",
        1,
    ),
    ("users.read", &[USER], "users_pkey", 1),
    ("users.list", &[TOP, "21"], "users_pkey", 21),
    ("users.by_role", &[TOP, "21", "'admin'"], "users_by_role", 21),
    ("users.invited", &[TOP, "21"], "users_invited", 21),
    ("sessions.open_ones", &[TOP, "21", USER], "sessions_open", 21),
    ("sessions.all", &[TOP, "21", USER], "sessions_of_user", 21),
    ("sessions.closed_since", &["60.0"], "sessions_closed", 0),
    (
        "messages.history",
        &[TOP, "21", SESSION],
        "messages_of_session",
        21,
    ),
    ("messages.count_since", &["60.0"], "messages_by_time", 0),
    (
        "documents.read",
        &["(select id from documents limit 1)"],
        "documents_pkey",
        1,
    ),
    ("documents.list", &[TOP, "21"], "documents_pkey", 21),
    ("documents.mine", &[TOP, "21", USER], "documents_of_owner", 21),
    ("documents.unindexed", &[TOP, "21"], "documents_unindexed", 21),
    (
        "knowledge.candidates",
        &["'asthma'", "100"],
        "chunks_by_word",
        100,
    ),
    ("audit.list", &[TOP, "21"], "audit_log_pkey", 21),
    ("audit.by_actor", &[TOP, "21", ADMIN], "audit_by_actor", 21),
    (
        "audit.by_action",
        &[TOP, "21", "'user.delete'"],
        "audit_by_action",
        21,
    ),
    (
        "audit.by_subject",
        &[TOP, "21", "'user7@voiceassist.example'"],
        "audit_by_subject",
        21,
    ),
    (
        "audit.by_actor_and_action",
        &[TOP, "21", ADMIN, "'login'"],
        "audit_by_actor_and_action",
        21,
    ),
    ("flags.enabled", &[], "feature_flags_enabled", 500),
    ("flags.changed_since", &["60.0"], "feature_flags_by_change", 500),
    (
        "refresh_tokens.delete_expired",
        &[],
        "refresh_tokens_expired",
        1000,
    ),
    ("jobs.claim", &["'default'", "30.0", "5"], "jobs_waiting", 1),
    ("jobs.observe", &["'default'"], "jobs_waiting", 2000),
    ("jobs.bury", &["'default'", "5"], "jobs_waiting", 2000),
    ("jobs.delete_done", &["60.0"], "jobs_done", 1000),
];

/// Indexes that serve no statement of ours by name: those of primary keys that only writes use, and the cascade of a user's end.
const NO_CASE: [&str; 8] = [
    "chunks_pkey",
    "feature_flags_pkey",
    "job_results_pkey",
    "jobs_pkey",
    "message_embeddings_pkey",
    "messages_pkey",
    "refresh_tokens_of_user",
    "sessions_pkey",
];

/// Jobs and tokens, and one user who has much of everything: who has ten rows is served by any index that finds them.
const MORE: &str = "
    insert into jobs (id, queue, kind, payload, state, finished_at)
        select gen_random_uuid(), 'default', 'index', '{}', case when n % 10 = 0 then 'waiting' else 'done' end, now()
        from generate_series(1, 20000) as n;
    insert into refresh_tokens
        select sha256(n::text::bytea), (select id from users limit 1), now() + interval '1 day'
        from generate_series(1, 5000) as n;
    insert into sessions
        select gen_random_uuid(), users.id, 't', now(), case when n % 10 = 0 then null else now() - interval '1 hour' end
        from users, generate_series(1, 60) as n where email = 'user7@voiceassist.example';
    insert into documents
        select gen_random_uuid(), users.id, 'n', 't', now(), now()
        from users, generate_series(1, 25) as n where email = 'user7@voiceassist.example';
    insert into audit_log
        select gen_random_uuid(), users.id, case when n % 10 = 0 then 'user.delete' else 'login' end, n::text, now()
        from users, generate_series(1, 300) as n where email = 'admin7@voiceassist.example';
    analyze;
    -- tables of a page or two are read whole, and rightly so; here they stand for larger ones
    set enable_seqscan = off";

async fn filled() -> PgConnection {
    let stack = Stack::empty().await;
    migrate(&stack.url).await.unwrap();
    generate(&stack.url, AMOUNTS).await.unwrap();
    let mut connection = stack.connect().await;
    sqlx::raw_sql(MORE).execute(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn each_query_uses_its_index_and_reads_no_more_than_it_shows() {
    let mut connection = filled().await;
    let (statements, mut wrong) = (Statement::all(), Vec::new());
    for (name, values, index, most) in CASES {
        let statement = statements.iter().find(|statement| statement.name == *name);
        let mut sql = statement
            .unwrap_or_else(|| panic!("{name} is no statement"))
            .sql
            .to_owned();
        for (number, value) in values.iter().enumerate().rev() {
            // Identifiers are written out: PostgreSQL plans for how often a value occurs.
            let value = if value.starts_with("(select") {
                &identifier(&mut connection, value).await
            } else {
                *value
            };
            sql = sql.replace(&format!("${}", number + 1), value);
        }
        let mut transaction = connection.begin().await.unwrap();
        let explain = AssertSqlSafe(format!("explain (analyze, format json) {sql}"));
        let (plan,): (Value,) = sqlx::query_as(explain)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        transaction.rollback().await.unwrap();
        let mut scans = Vec::new();
        collect(&plan[0]["Plan"], &mut scans);
        match scans.iter().find(|scan| scan.index == *index) {
            None => wrong.push(format!("{name} does not use {index}: {plan}")),
            Some(scan) if scan.rows > *most => {
                wrong.push(format!(
                    "{name} reads {} rows of {index}, not {most}: {plan}",
                    scan.rows
                ));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_index_serves_a_query_that_is_explained() {
    let stack = Stack::new().await;
    let indexes = "select indexname::text from pg_indexes
                   where schemaname = 'public' and tablename <> '_sqlx_migrations'";
    let all: Vec<(String,)> = sqlx::query_as(indexes)
        .fetch_all(&mut stack.connect().await)
        .await
        .unwrap();
    let all: BTreeSet<String> = all.into_iter().map(|(name,)| name).collect();
    let known: BTreeSet<String> = CASES
        .iter()
        .map(|case| case.2)
        .chain(NO_CASE)
        .chain(["refresh_tokens_pkey"])
        .map(str::to_owned)
        .collect();
    assert_eq!(all, known);
}

async fn identifier(connection: &mut PgConnection, select: &str) -> String {
    let id: uuid::Uuid = sqlx::query_scalar(AssertSqlSafe(select.to_owned()))
        .fetch_one(connection)
        .await
        .unwrap();
    format!("'{id}'::uuid")
}

/// A scan of an index, with the rows that it handed out and those that were read and thrown away.
struct Scan {
    index: String,
    rows: u64,
}

fn collect(plan: &Value, scans: &mut Vec<Scan>) {
    let number = |field: &str| plan[field].as_f64().unwrap_or_default();
    if let Some(index) = plan["Index Name"].as_str() {
        let rows = (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops");
        // The scan of a bitmap reads no rows of the table; what is above it does, and that has a limit.
        let bitmap = plan["Node Type"] == "Bitmap Index Scan";
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        scans.push(Scan {
            index: index.to_owned(),
            rows: if bitmap { 0 } else { rows as u64 },
        });
    }
    for child in plan["Plans"].as_array().into_iter().flatten() {
        collect(child, scans);
    }
}
