//! Embedding of a message.

use serde_json::json;
use uuid::Uuid;

use super::{outcome::Outcome, run::Worker};
use crate::{
    database::Statement,
    queue::{self, Claim, Completed},
};

pub(super) static READ: Statement = Statement::new("embed.read", "select text from messages where id = $1");

pub(super) static WRITE: Statement = Statement::new(
    "embed.write",
    "insert into message_embeddings (message_id, embedding) select id, $2 from messages where id = $1",
);

pub(super) async fn embed(worker: &Worker, claim: &Claim, message: Uuid) -> Outcome {
    let text: Option<(String,)> = worker.database.ask(&READ).bind(message).optional().await?;
    let text = text.map(|(text,)| text).unwrap_or_default(); // deleted meanwhile: nothing is written below
    let embedding = worker.embedder.embed(&text).await;
    let mut transaction = worker.database.begin().await?;
    if queue::complete(&mut transaction, claim, json!({"message": message})).await? == Completed::ClaimLost {
        return Ok(Completed::ClaimLost);
    }
    transaction
        .ask(&WRITE)
        .bind(message)
        .bind(embedding)
        .run()
        .await?;
    transaction.commit().await?;
    Ok(Completed::Yes)
}
