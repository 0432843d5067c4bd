//! The queue: retries, dead letters, effects that happen once.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use sqlx::types::Uuid;
use voiceassist::{
    database::{Database, PoolLimits},
    queue::{self, Completed, Work},
};

use crate::support::{Stack, until};

fn database(stack: &Stack) -> Database {
    let limits = PoolLimits {
        size: 1,
        overflow: 9,
        wait: Duration::from_secs(5),
    };
    Database::lazy(&stack.url, limits, Arc::default()).unwrap()
}

async fn enqueued(database: &Database) -> Uuid {
    let mut transaction = database.begin().await.unwrap();
    let id = queue::enqueue(
        &mut transaction,
        &Work::Index {
            document: Uuid::nil(),
        },
    )
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    id
}

#[tokio::test]
async fn a_claim_hides_a_job_until_its_time_is_over_and_then_counts_no_more() {
    let stack = Stack::new().await;
    let database = database(&stack);
    let id = enqueued(&database).await;
    let first = queue::claim(&database, Duration::from_millis(200))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((first.id, first.attempts), (id, 1));
    assert!(
        queue::claim(&database, Duration::from_secs(60))
            .await
            .unwrap()
            .is_none(),
        "it is hidden"
    );
    let second = until("the job comes back", async || {
        queue::claim(&database, Duration::from_secs(60)).await.unwrap()
    })
    .await;
    assert_eq!(second.attempts, 2);
    for (claim, completed) in [
        (&first, Completed::ClaimLost),
        (&second, Completed::Yes),
        (&second, Completed::ClaimLost),
    ] {
        let mut transaction = database.begin().await.unwrap();
        let ended = queue::complete(&mut transaction, claim, json!({})).await.unwrap();
        assert_eq!(ended, completed);
        transaction.commit().await.unwrap();
    }
    assert_eq!(stack.number("select count(*) from job_results").await, 1);
}

#[tokio::test]
async fn many_claims_at_once_are_of_different_jobs() {
    let stack = Stack::new().await;
    let database = database(&stack);
    for _ in 0..50 {
        enqueued(&database).await;
    }
    let claims = (0..60).map(|_| queue::claim(&database, Duration::from_secs(60)));
    let claimed = futures::future::join_all(claims).await;
    let ids: std::collections::BTreeSet<_> =
        claimed.iter().flatten().flatten().map(|claim| claim.id).collect();
    let count = claimed.iter().flatten().flatten().count();
    assert_eq!(ids.len(), count, "no job is claimed twice");
    assert_eq!(count, 50);
}

#[tokio::test]
async fn a_job_that_fails_comes_back_later_and_is_a_dead_letter_after_the_last_attempt() {
    let stack = Stack::new().await;
    let database = database(&stack);
    let id = enqueued(&database).await;
    for attempt in 1..=queue::ATTEMPTS {
        sqlx::query("update jobs set visible_at = now()")
            .execute(&mut stack.connect().await)
            .await
            .unwrap();
        let claim = queue::claim(&database, Duration::from_secs(60))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(claim.attempts, attempt);
        queue::fail(&database, &claim, "a\0fault", false).await.unwrap();
        assert!(
            queue::claim(&database, Duration::from_secs(60))
                .await
                .unwrap()
                .is_none(),
            "it waits"
        );
    }
    let (state, error): (String, String) = sqlx::query_as("select state, last_error from jobs where id = $1")
        .bind(id)
        .fetch_one(&mut stack.connect().await)
        .await
        .unwrap();
    assert_eq!((state.as_str(), error.as_str()), ("dead", "afault"));
}

#[tokio::test]
async fn a_job_whose_workers_died_is_buried_after_the_last_attempt() {
    let stack = Stack::new().await;
    let database = database(&stack);
    enqueued(&database).await;
    let attempts = "update jobs set attempts = 5";
    sqlx::query(attempts)
        .execute(&mut stack.connect().await)
        .await
        .unwrap();
    assert!(
        queue::claim(&database, Duration::from_secs(60))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(queue::bury(&database).await.unwrap(), 1);
    assert_eq!(
        stack
            .number("select count(*) from jobs where state = 'dead'")
            .await,
        1
    );
}

#[tokio::test]
async fn work_that_nobody_knows_is_a_dead_letter_at_once() {
    let stack = Stack::new().await;
    let insert =
        "insert into jobs (id, queue, kind, payload) values (gen_random_uuid(), 'default', 'dance', '{}')";
    sqlx::query(insert)
        .execute(&mut stack.connect().await)
        .await
        .unwrap();
    let worker = stack.worker(&[]).await;
    until("it is a dead letter", async || {
        (stack
            .number("select count(*) from jobs where state = 'dead' and attempts = 1")
            .await
            == 1)
            .then_some(())
    })
    .await;
    until("it is counted", async || {
        worker
            .metric("voiceassist_jobs_total{kind=\"unknown\",result=\"failed\"}")
            .await
            .filter(|count| *count >= 1.0)
    })
    .await;
}
