//! Indexing: the pieces of a document, each with its embedding.

use serde_json::json;
use uuid::Uuid;

use super::{outcome::Outcome, run::Worker};
use crate::{
    database::Statement,
    knowledge::pieces,
    queue::{self, Claim, Completed},
};

pub(super) static READ: Statement = Statement::new("index.read", "select text from documents where id = $1");

pub(super) static CLEAR: Statement =
    Statement::new("index.clear", "delete from chunks where document_id = $1");

pub(super) static WRITE: Statement = Statement::new(
    "index.write",
    "insert into chunks (document_id, position, text, embedding)
     select $1, position, text, embedding
     from jsonb_to_recordset($2) as piece (position integer, text text, embedding real[])",
);

pub(super) static INDEXED: Statement = Statement::new(
    "index.indexed",
    "update documents set indexed_at = now() where id = $1",
);

pub(super) async fn index(worker: &Worker, claim: &Claim, document: Uuid) -> Outcome {
    let text: Option<(String,)> = worker.database.ask(&READ).bind(document).optional().await?;
    let text = text.map(|(text,)| text).unwrap_or_default(); // deleted meanwhile: it has no pieces
    let mut rows = Vec::new();
    for (position, piece) in pieces(&text).into_iter().enumerate() {
        let embedding = worker.embedder.embed(&piece).await;
        rows.push(json!({"position": position, "text": piece, "embedding": embedding}));
    }
    let mut transaction = worker.database.begin().await?;
    let result = json!({"document": document, "pieces": rows.len()});
    if queue::complete(&mut transaction, claim, result).await? == Completed::ClaimLost {
        return Ok(Completed::ClaimLost);
    }
    if transaction.ask(&INDEXED).bind(document).run().await? > 0 {
        transaction.ask(&CLEAR).bind(document).run().await?;
        transaction
            .ask(&WRITE)
            .bind(document)
            .bind(serde_json::Value::from(rows))
            .run()
            .await?;
    }
    transaction.commit().await?;
    Ok(Completed::Yes)
}
