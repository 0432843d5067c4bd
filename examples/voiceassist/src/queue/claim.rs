//! Claiming: a job is hidden from others for the visibility timeout.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::{ATTEMPTS, QUEUE};
use crate::database::{Database, DatabaseError, Statement};

/// Takes the job that has waited longest and that nobody else is just taking.
pub(super) static CLAIM: Statement = Statement::new(
    "jobs.claim",
    "update jobs set attempts = attempts + 1, visible_at = now() + make_interval(secs => $2)
     where id = (select id from jobs
                 where queue = $1 and state = 'waiting' and visible_at <= now() and attempts < $3
                 order by visible_at limit 1 for update skip locked)
     returning id, kind, payload, attempts",
);

/// Jobs whose workers died with the last attempt.
pub(super) static BURY: Statement = Statement::new(
    "jobs.bury",
    "update jobs set state = 'dead', finished_at = now(),
            last_error = coalesce(last_error, 'no worker came to the end of it')
     where id in (select id from jobs
                  where queue = $1 and state = 'waiting' and visible_at <= now() and attempts >= $2
                  order by visible_at limit 100 for update skip locked)",
);

/// A job that this worker may do, until the visibility timeout is over.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Claim {
    /// The job.
    pub id: Uuid,
    /// What kind it is.
    pub kind: String,
    /// What it is about.
    pub payload: Value,
    /// The number of this claim, from 1.
    pub attempts: i32,
}

/// Claims a job for so long; nothing if none waits.
///
/// # Errors
/// If the database failed.
pub async fn claim(database: &Database, visibility: Duration) -> Result<Option<Claim>, DatabaseError> {
    database
        .ask(&CLAIM)
        .bind(QUEUE)
        .bind(visibility.as_secs_f64())
        .bind(ATTEMPTS)
        .optional()
        .await
}

/// Makes dead letters of jobs that have no attempt left, and returns how many.
///
/// # Errors
/// If the database failed.
pub async fn bury(database: &Database) -> Result<u64, DatabaseError> {
    database.ask(&BURY).bind(QUEUE).bind(ATTEMPTS).run().await
}
