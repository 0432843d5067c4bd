//! Search in the knowledge base.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::state::Gateway;
use crate::{
    http::{Params, Problem, Text},
    identity::Caller,
    knowledge::{self, Found},
};

#[derive(Debug, Deserialize)]
pub(super) struct Query {
    q: Text<200>,
}

#[derive(Debug, Serialize)]
pub(super) struct Results {
    items: Vec<Found>,
}

pub(super) async fn search(
    State(gateway): State<Gateway>,
    _: Caller,
    Params(Query { q }): Params<Query>,
) -> Result<Json<Results>, Problem> {
    let items = knowledge::search(&gateway.cache, &gateway.database, gateway.embedder, q.as_str()).await?;
    Ok(Json(Results { items }))
}
