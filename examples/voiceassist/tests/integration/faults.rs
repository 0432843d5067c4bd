//! Faults of PostgreSQL and of migrations: what was accepted is kept, what was not is refused, and nothing stays half done.

use std::{
    fs::File,
    io::{Write as _, stderr},
};

use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use tokio::process::{Child, Command};
use voiceassist::{
    database::{MIGRATIONS, migrate},
    generator::{Amounts, generate},
};

use crate::support::{Client, Process, Server, Stack, database_url, until};

/// Megabytes of the small disk: PostgreSQL and the accounts need 100.
const DISK: u32 = 256;

#[tokio::test]
async fn a_full_disk_refuses_writes_and_loses_nothing_that_was_accepted() {
    let Some(postgres) = Server::postgres_on_a_disk_of(DISK).await else {
        // Beside what libtest prints, which keeps back the words of a test that passes.
        let words =
            "voiceassist: NOT TESTED: a full disk. A small disk in memory takes root (unshare, mount).\n";
        stderr().write_all(words.as_bytes()).unwrap();
        return;
    };
    let url = database_url(postgres.port, "postgres");
    migrate(&url).await.unwrap();
    let amounts = Amounts {
        accounts: 20,
        messages: 100,
        documents: 10,
        audit_entries: 10,
        seed: 1,
    };
    generate(&url, amounts).await.unwrap();
    let gateway = Process::gateway(&url, &[]).await;
    let user = Client::new(&gateway.address).logged_in("user0").await;
    let opened = user.post("/api/sessions", &json!({"title": "a full disk"})).await;
    let messages = format!("/api/sessions/{}/messages", opened.text("/id"));

    let filler = postgres.file("filler");
    let zeros = vec![0; 1 << 16];
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&zeros).is_ok() {}
    drop(file);
    let mut accepted = 0_i64;
    let send = async || {
        // Digits of chance, which PostgreSQL cannot compress.
        let text: String = (0..12_000).map(|_| fastrand::alphanumeric()).collect();
        user.post(&messages, &json!({"text": text})).await
    };
    let refused = until("a message is refused", async || {
        let answer = send().await;
        if answer.code == 201 {
            accepted += 1;
            return None;
        }
        Some(answer)
    })
    .await;
    assert!(refused.is_problem(503), "{refused:?}");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(user.get("/api/users/me").await.code, 200, "reads go on");

    std::fs::remove_file(&filler).unwrap();
    until("a message is accepted again", async || {
        (send().await.code == 201).then_some(())
    })
    .await;
    accepted += 1;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let counted =
        "select (select count(*) from messages where text not like '% %'), (select count(*) from jobs)";
    let (messages, jobs): (i64, i64) = sqlx::query_as(counted).fetch_one(&mut connection).await.unwrap();
    assert_eq!(
        (messages, jobs),
        (accepted, accepted),
        "each that was accepted, with its job"
    );
}

/// A database in which the performance migration has not been applied, and a connection that keeps it from its last index.
async fn before_the_last_migration(stack: &Stack) -> PgConnection {
    let mut connection = stack.connect().await;
    MIGRATIONS.run_to(2, &mut connection).await.unwrap();
    sqlx::raw_sql("begin; lock table feature_flags in access exclusive mode")
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}

fn migrating(stack: &Stack) -> Child {
    Command::new(env!("CARGO_BIN_EXE_voiceassist-database"))
        .args(["--database-url", &stack.url, "migrate"])
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Waits until somebody waits for such a lock.
async fn waits(stack: &Stack, kind: &str) {
    until(&format!("a migration waits for a lock: {kind}"), async || {
        let all: Vec<(String,)> = sqlx::query_as(
            "select coalesce(wait_event, '') from pg_stat_activity
             where wait_event_type = 'Lock' and datname = current_database()",
        )
        .fetch_all(&mut stack.connect().await)
        .await
        .unwrap();
        all.iter().any(|(event,)| event == kind).then_some(())
    })
    .await;
}

const INDEXES: &str =
    "select count(*) from pg_indexes where indexname in ('users_by_role', 'feature_flags_by_change')";

#[tokio::test]
async fn half_of_a_migration_is_none_of_it_and_the_next_attempt_does_all() {
    let stack = Stack::empty().await;
    let lock = before_the_last_migration(&stack).await;
    let mut killed = migrating(&stack);
    waits(&stack, "relation").await;
    killed.kill().await.unwrap();
    lock.close().await.unwrap();
    until("PostgreSQL has seen its end", async || {
        let others = "select count(*) from pg_stat_activity
                      where datname = current_database() and pid <> pg_backend_pid()";
        (stack.number(others).await == 0).then_some(())
    })
    .await;
    assert_eq!(stack.number(INDEXES).await, 0);
    assert!(migrating(&stack).wait().await.unwrap().success());
    assert_eq!(stack.number(INDEXES).await, 2);
}

#[tokio::test]
async fn nobody_is_ready_before_the_migrations_are_applied() {
    let stack = Stack::empty().await;
    let mut connection = stack.connect().await;
    let worker = stack.worker(&[]).await;
    let waits = async |words: &'static str| {
        let said = async || worker.log().iter().any(|line| line.contains(words)).then_some(());
        until(words, said).await;
    };
    waits("has no migrations").await;
    MIGRATIONS.run_to(2, &mut connection).await.unwrap();
    waits("waits for the migrations").await;
    assert_eq!(worker.operations("/readyz").await.unwrap().0, 503);
    migrate(&stack.url).await.unwrap();
    worker.is_ready().await;
}

#[tokio::test]
async fn of_two_migrations_at_once_one_waits_and_both_succeed() {
    let stack = Stack::empty().await;
    let lock = before_the_last_migration(&stack).await;
    let mut first = migrating(&stack);
    waits(&stack, "relation").await;
    let mut second = migrating(&stack);
    waits(&stack, "advisory").await;
    lock.close().await.unwrap();
    assert!(first.wait().await.unwrap().success());
    assert!(second.wait().await.unwrap().success());
    let applied = "select count(*) from _sqlx_migrations where success";
    assert_eq!(stack.number(applied).await, 3);
    assert_eq!(stack.number(INDEXES).await, 2);
}
