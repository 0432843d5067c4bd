//! The search: PostgreSQL finds pieces that have the words, their embeddings put the nearest first.

use std::{convert::Infallible, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::embedding::{Embedder, similarity};
use crate::{
    cache::{Cache, Subject},
    database::{Database, DatabaseError, Statement},
};

/// Pieces that PostgreSQL may hand out; the nearest of them are shown. The index finds them, and no more rows are read.
const CANDIDATES_MOST: i64 = 100;

/// Results of a search.
const SHOWN: usize = 10;

/// Characters of a piece that a result shows.
const EXCERPT: usize = 200;

pub(super) static CANDIDATES: Statement = Statement::new(
    "knowledge.candidates",
    "select chunks.document_id, documents.name, chunks.text, chunks.embedding
     from (select document_id, position, text, embedding from chunks
           where words @@ plainto_tsquery('english', $1) limit $2) as chunks
     join documents on documents.id = chunks.document_id",
);

/// A piece of a document that a search found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The document.
    pub document: Uuid,
    /// Its name.
    pub name: String,
    /// The beginning of the piece.
    pub excerpt: String,
    /// How near it is, 0 to 1.
    pub score: f32,
}

/// Results of a search: up to a minute old, or five where another process asked before. One process of all makes the search,
/// because the model is what costs.
static RESULTS: Subject = Subject {
    expensive: true,
    nothing: Duration::from_secs(2),
    ..Subject::new("search")
};

/// Embeddings of what is searched for. They never change.
static EMBEDDINGS: Subject = Subject::new("embeddings");

/// What the knowledge base has on `words`, the nearest first. Queries that differ in case and spaces are one.
///
/// # Errors
/// If the database failed.
pub async fn search(
    cache: &Cache,
    database: &Database,
    embedder: Embedder,
    words: &str,
) -> Result<Vec<Found>, Arc<DatabaseError>> {
    let words = words
        .to_lowercase()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let key = words.clone();
    let (of_embeddings, database) = (cache.clone(), database.clone());
    let load = move || {
        let (cache, database, words) = (of_embeddings.clone(), database.clone(), words.clone());
        async move {
            let query = words.clone();
            let embed = move || {
                let query = query.clone();
                async move { Ok::<_, Infallible>(embedder.embed(&query).await) }
            };
            let embedding = match cache.cached(&EMBEDDINGS, &words).get_or_load(embed).await {
                Ok(embedding) => embedding,
                Err(never) => match *never {},
            };
            nearest(&database, &embedding, &words).await
        }
    };
    cache.cached(&RESULTS, &key).get_or_load(load).await
}

/// The pieces that have the words, the nearest first.
async fn nearest(database: &Database, embedding: &[f32], words: &str) -> Result<Vec<Found>, DatabaseError> {
    let rows: Vec<(Uuid, String, String, Vec<f32>)> = database
        .ask(&CANDIDATES)
        .bind(words)
        .bind(CANDIDATES_MOST)
        .all()
        .await?;
    let mut found: Vec<Found> = rows
        .into_iter()
        .map(|(document, name, text, of_piece)| Found {
            document,
            name,
            excerpt: text.chars().take(EXCERPT).collect(),
            score: similarity(embedding, &of_piece),
        })
        .collect();
    found.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| b.document.cmp(&a.document))
    });
    found.truncate(SHOWN);
    Ok(found)
}
