//! The transcript of a voice session, as a message of the session. Its key is the job.

use serde_json::json;
use uuid::Uuid;

use super::{outcome::Outcome, run::Worker};
use crate::{
    database::Statement,
    queue::{self, Claim, Completed},
};

pub(super) static WRITE: Statement = Statement::new(
    "transcribe.write",
    "insert into messages (id, session_id, text) select $1, id, $3 from sessions where id = $2",
);

pub(super) async fn transcribe(
    worker: &Worker,
    claim: &Claim,
    session: Uuid,
    frames: u32,
    digest: u32,
) -> Outcome {
    // The stand-in for a recogniser costs what an embedding costs.
    let text = format!("voice, {} ms, {digest:08x}", u64::from(frames) * 20);
    worker.embedder.embed(&text).await;
    let mut transaction = worker.database.begin().await?;
    if queue::complete(&mut transaction, claim, json!({"session": session})).await? == Completed::ClaimLost {
        return Ok(Completed::ClaimLost);
    }
    transaction
        .ask(&WRITE)
        .bind(claim.id)
        .bind(session)
        .bind(text)
        .run()
        .await?;
    transaction.commit().await?;
    Ok(Completed::Yes)
}
