//! Sessions: a user's talks with the assistant.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::state::Gateway;
use crate::{
    clock,
    database::{Database, DatabaseError, Statement},
    http::{Body, Id, Page, PageParams, Params, Problem, Text},
    identity::Caller,
};

pub(super) const STATEMENTS: &[&Statement] = &[&OPEN, &OPEN_ONES, &ALL, &READ, &CLOSE];

static OPEN: Statement = Statement::new(
    "sessions.open",
    "insert into sessions (id, user_id, title) select $1, id, $3 from users where id = $2",
);

static OPEN_ONES: Statement = Statement::new(
    "sessions.open_ones",
    "select id, title, rfc3339(created_at) as created_at, rfc3339(closed_at) as closed_at
     from sessions where user_id = $3 and closed_at is null and id < $1 order by id desc limit $2",
);

static ALL: Statement = Statement::new(
    "sessions.all",
    "select id, title, rfc3339(created_at) as created_at, rfc3339(closed_at) as closed_at
     from sessions where user_id = $3 and id < $1 order by id desc limit $2",
);

pub(super) static READ: Statement = Statement::new(
    "sessions.read",
    "select id, title, rfc3339(created_at) as created_at, rfc3339(closed_at) as closed_at
     from sessions where id = $1 and user_id = $2",
);

static CLOSE: Statement = Statement::new(
    "sessions.close",
    "update sessions set closed_at = now() where id = $1 and user_id = $2 and closed_at is null",
);

#[derive(Debug, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    id: Uuid,
    title: String,
    created_at: String,
    closed_at: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct New {
    title: Text<200>,
}

/// Whether closed sessions are wanted too.
#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    all: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Opened {
    id: Uuid,
}

/// Whether the session is the user's, and open.
pub(super) async fn is_open(database: &Database, session: Uuid, user: Uuid) -> Result<bool, DatabaseError> {
    let row: Option<Session> = database.ask(&READ).bind(session).bind(user).optional().await?;
    Ok(row.is_some_and(|session| session.closed_at.is_none()))
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    Caller(caller): Caller,
    Params(page): Params<PageParams>,
    Params(Filter { all }): Params<Filter>,
) -> Result<Json<Page<Session>>, Problem> {
    let statement = if all { &ALL } else { &OPEN_ONES };
    let ask = gateway
        .database
        .ask(statement)
        .bind(page.before())
        .bind(page.read()?);
    let rows: Vec<Session> = ask.bind(caller.user).all().await?;
    Ok(Json(page.page(rows, |session| session.id)))
}

pub(super) async fn open(
    State(gateway): State<Gateway>,
    Caller(caller): Caller,
    Body(New { title }): Body<New>,
) -> Result<(StatusCode, Json<Opened>), Problem> {
    let id = clock::new_id();
    let ask = gateway
        .database
        .ask(&OPEN)
        .bind(id)
        .bind(caller.user)
        .bind(title.as_str());
    if ask.run().await? == 0 {
        return Err(Problem::unauthorized("the account was deleted"));
    }
    Ok((StatusCode::CREATED, Json(Opened { id })))
}

pub(super) async fn read(
    State(gateway): State<Gateway>,
    Caller(caller): Caller,
    Id(id): Id,
) -> Result<Json<Session>, Problem> {
    let session: Option<Session> = gateway
        .database
        .ask(&READ)
        .bind(id)
        .bind(caller.user)
        .optional()
        .await?;
    session.map(Json).ok_or_else(|| Problem::not_found("session"))
}

pub(super) async fn close(
    State(gateway): State<Gateway>,
    Caller(caller): Caller,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    match gateway
        .database
        .ask(&CLOSE)
        .bind(id)
        .bind(caller.user)
        .run()
        .await?
    {
        0 => Err(Problem::not_found("open session")),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
