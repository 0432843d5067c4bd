//! A job is enqueued in the transaction that writes what it is about: both are there, or neither.

use uuid::Uuid;

use super::{QUEUE, work::Work};
use crate::{
    clock,
    database::{DatabaseError, Statement, Transaction},
};

pub(super) static ENQUEUE: Statement = Statement::new(
    "jobs.enqueue",
    "insert into jobs (id, queue, kind, payload) values ($1, $2, $3, $4)",
);

/// Enqueues a job, and returns its identifier. It is accepted when the transaction is committed.
///
/// # Errors
/// If the database failed.
pub async fn enqueue(transaction: &mut Transaction, work: &Work) -> Result<Uuid, DatabaseError> {
    let id = clock::new_id();
    transaction
        .ask(&ENQUEUE)
        .bind(id)
        .bind(QUEUE)
        .bind(work.kind())
        .bind(work.payload())
        .run()
        .await?;
    Ok(id)
}
