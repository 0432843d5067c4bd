//! Messages of a session, and its history.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{sessions, state::Gateway};
use crate::{
    clock,
    database::Statement,
    http::{Body, Id, Page, PageParams, Paging, Params, Problem, Text},
    identity::Caller,
    queue::{Work, enqueue},
};

pub(super) const STATEMENTS: &[&Statement] = &[&SEND, &HISTORY, &HISTORY_BY_OFFSET, &ONE];

static SEND: Statement = Statement::new(
    "messages.send",
    "insert into messages (id, session_id, text)
     select $1, id, $4 from sessions where id = $2 and user_id = $3 and closed_at is null",
);

static HISTORY: Statement = Statement::new(
    "messages.history",
    "select id, text, rfc3339(created_at) as created_at
     from messages where session_id = $3 and id < $1 order by id desc limit $2",
);

static HISTORY_BY_OFFSET: Statement = Statement::new(
    "messages.history_by_offset",
    "select id, text, rfc3339(created_at) as created_at
     from messages where session_id = $3 order by id desc limit $2 offset $1",
);

static ONE: Statement = Statement::new(
    "messages.one",
    "select id, text, rfc3339(created_at) as created_at from messages where id = $1",
);

#[derive(Debug, Deserialize)]
pub(super) struct New {
    text: Text<16_384>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    id: Uuid,
    text: String,
    created_at: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Sent {
    id: Uuid,
    job: Uuid,
}

/// Stores a message, and the job that makes its embedding, in one transaction.
pub(super) async fn send(
    State(gateway): State<Gateway>,
    Caller(caller): Caller,
    Id(session): Id,
    Body(New { text }): Body<New>,
) -> Result<(StatusCode, Json<Sent>), Problem> {
    let id = clock::new_id();
    let mut transaction = gateway.database.begin().await?;
    let ask = transaction.ask(&SEND).bind(id).bind(session).bind(caller.user);
    if ask.bind(text.as_str()).run().await? == 0 {
        return Err(Problem::not_found("open session"));
    }
    let job = enqueue(&mut transaction, &Work::Embed { message: id }).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(Sent { id, job })))
}

pub(super) async fn history(
    State(gateway): State<Gateway>,
    Caller(caller): Caller,
    Id(session): Id,
    Params(page): Params<PageParams>,
) -> Result<Json<Page<Message>>, Problem> {
    let limit = page.read()?;
    let own = gateway
        .database
        .ask(&sessions::READ)
        .bind(session)
        .bind(caller.user);
    if own.optional::<sessions::Session>().await?.is_none() {
        return Err(Problem::not_found("session"));
    }
    let ask = match gateway.lists.paging {
        Paging::Key => gateway.database.ask(&HISTORY).bind(page.before()),
        Paging::Offset => gateway.database.ask(&HISTORY_BY_OFFSET).bind(page.skipped()),
    };
    let rows: Vec<Message> = ask.bind(limit).bind(session).all().await?;
    let page = gateway.page(&page, rows, &ONE, |message| message.id).await?;
    Ok(Json(page))
}
