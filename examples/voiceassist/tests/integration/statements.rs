//! Every statement is prepared on a real PostgreSQL with all migrations: its text, tables, columns and types are right.

use std::collections::BTreeSet;

use sqlx::{Executor as _, SqlStr};
use voiceassist::database::{Statement, migrate};

use crate::support::Stack;

#[tokio::test]
async fn every_statement_can_be_prepared_and_has_a_name_of_its_own() {
    let stack = Stack::new().await;
    let mut connection = stack.connect().await;
    let mut names = BTreeSet::new();
    let all = Statement::all();
    assert!(all.len() > 40, "{}", all.len());
    for Statement { name, sql } in all {
        assert!(names.insert(*name), "{name} is there twice");
        if let Err(error) = (&mut connection).prepare(SqlStr::from_static(sql)).await {
            panic!("{name}: {error}");
        }
    }
}

#[tokio::test]
async fn a_migration_that_fails_at_its_middle_changes_nothing() {
    let stack = Stack::new().await;
    let mut admin = stack.connect().await;
    // A table of the second migration is in the way, so the migration fails at its middle.
    sqlx::raw_sql("create schema half; create table half.job_results (id int)")
        .execute(&mut admin)
        .await
        .unwrap();
    let url = format!("{}?options=-csearch_path%3Dhalf", stack.url);
    migrate(&url).await.expect_err("a table is in the way");
    let jobs = "select count(*) from pg_tables where schemaname = 'half' and tablename = 'jobs'";
    assert_eq!(stack.number(jobs).await, 0, "the first half was taken back");
    sqlx::raw_sql("drop table half.job_results")
        .execute(&mut admin)
        .await
        .unwrap();
    migrate(&url).await.unwrap();
    assert_eq!(stack.number(jobs).await, 1);
}
