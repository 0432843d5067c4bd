//! The end of a claim: done, failed, or handed back. Each changes nothing where the claim is not the newest any more.

use std::time::Duration;

use serde_json::Value;

use super::{ATTEMPTS, claim::Claim};
use crate::database::{Database, DatabaseError, Statement, Transaction};

/// Longest wait before another attempt.
const LONGEST: Duration = Duration::from_secs(300);

/// Bytes of an error that are kept.
const ERROR: usize = 500;

pub(super) static COMPLETE: Statement = Statement::new(
    "jobs.complete",
    "update jobs set state = 'done', finished_at = now() where id = $1 and attempts = $2 and state = 'waiting'",
);

pub(super) static RESULT: Statement = Statement::new(
    "jobs.result",
    "insert into job_results (job_id, kind, result) values ($1, $2, $3)",
);

pub(super) static FAIL: Statement = Statement::new(
    "jobs.fail",
    "update jobs set last_error = $3, visible_at = now() + make_interval(secs => $4),
            state = case when attempts >= $5 then 'dead' else 'waiting' end,
            finished_at = case when attempts >= $5 then now() end
     where id = $1 and attempts = $2 and state = 'waiting'",
);

pub(super) static HAND_BACK: Statement = Statement::new(
    "jobs.hand_back",
    "update jobs set visible_at = now(), attempts = attempts - 1
     where id = $1 and attempts = $2 and state = 'waiting'",
);

pub(super) static DELETE_DONE: Statement = Statement::new(
    "jobs.delete_done",
    "with old as (select id from jobs where state = 'done' and finished_at < now() - make_interval(secs => $1)
                  order by finished_at limit 1000 for update skip locked),
          results as (delete from job_results where job_id in (select id from old))
     delete from jobs where id in (select id from old)",
);

/// Whether a completion counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completed {
    /// It is done with this transaction.
    Yes,
    /// Another claim of the job is newer, or it is done: roll back.
    ClaimLost,
}

/// Ends the job, with its result, in the transaction that writes its effect.
///
/// # Errors
/// If the database failed.
pub async fn complete(
    transaction: &mut Transaction,
    claim: &Claim,
    result: Value,
) -> Result<Completed, DatabaseError> {
    // First of all: it locks the row, so of two workers one waits here and then changes nothing.
    let changed = transaction
        .ask(&COMPLETE)
        .bind(claim.id)
        .bind(claim.attempts)
        .run()
        .await?;
    if changed == 0 {
        return Ok(Completed::ClaimLost);
    }
    transaction
        .ask(&RESULT)
        .bind(claim.id)
        .bind(&claim.kind)
        .bind(result)
        .run()
        .await?;
    Ok(Completed::Yes)
}

/// The attempt failed: another one comes later, or the job is a dead letter at once (`hopeless`) or after the last attempt.
///
/// # Errors
/// If the database failed. The job then comes back with its visibility timeout.
pub async fn fail(
    database: &Database,
    claim: &Claim,
    error: &str,
    hopeless: bool,
) -> Result<(), DatabaseError> {
    let kept: String = error
        .chars()
        .filter(|character| *character != '\0')
        .take(ERROR)
        .collect();
    database
        .ask(&FAIL)
        .bind(claim.id)
        .bind(claim.attempts)
        .bind(kept)
        .bind(backoff(claim.attempts, fastrand::f64()).as_secs_f64())
        .bind(if hopeless { 0 } else { ATTEMPTS })
        .run()
        .await?;
    Ok(())
}

/// Gives the job back unharmed: this attempt does not count.
///
/// # Errors
/// If the database failed. The job then comes back with its visibility timeout.
pub async fn hand_back(database: &Database, claim: &Claim) -> Result<(), DatabaseError> {
    database
        .ask(&HAND_BACK)
        .bind(claim.id)
        .bind(claim.attempts)
        .run()
        .await?;
    Ok(())
}

/// Deletes up to 1,000 jobs that were done so long ago, with their results, and returns how many.
///
/// # Errors
/// If the database failed.
pub async fn delete_done(database: &Database, kept: Duration) -> Result<u64, DatabaseError> {
    database.ask(&DELETE_DONE).bind(kept.as_secs_f64()).run().await
}

/// The wait after so many attempts: 1 s, 2 s, 4 s and so on, and up to half as long again, so that jobs which failed
/// together do not come back together. `random` is 0 to 1.
fn backoff(attempts: i32, random: f64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    Duration::from_secs(1 << doublings)
        .mul_f64(1.0 + random / 2.0)
        .min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits: Vec<u64> = [1, 2, 3, 4, 12, i32::MAX]
            .map(|attempts| backoff(attempts, 0.0).as_secs())
            .to_vec();
        assert_eq!(waits, [1, 2, 4, 8, 300, 300]);
        assert_eq!(backoff(2, 1.0), Duration::from_secs(3));
    }
}
