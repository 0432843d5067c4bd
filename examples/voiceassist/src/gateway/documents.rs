//! Documents of the knowledge base. Every user reads every document; a list has the caller's own, for administrators all.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::state::Gateway;
use crate::{
    clock,
    database::Statement,
    http::{Body, Id, Page, PageParams, Paging, Params, Problem, Text},
    identity::{Caller, Role},
    queue::{Work, enqueue},
};

pub(super) const STATEMENTS: &[&Statement] =
    &[&UPLOAD, &READ, &LIST, &MINE, &UNINDEXED, &LIST_BY_OFFSET, &ONE];

static UPLOAD: Statement = Statement::new(
    "documents.upload",
    "insert into documents (id, owner_id, name, text) select $1, id, $3, $4 from users where id = $2",
);

static READ: Statement = Statement::new(
    "documents.read",
    "select id, name, text, indexed_at is not null as indexed, rfc3339(created_at) as created_at
     from documents where id = $1",
);

static LIST: Statement = Statement::new(
    "documents.list",
    "select id, name, owner_id as owner, indexed_at is not null as indexed, rfc3339(created_at) as created_at
     from documents where id < $1 order by id desc limit $2",
);

static MINE: Statement = Statement::new(
    "documents.mine",
    "select id, name, owner_id as owner, indexed_at is not null as indexed, rfc3339(created_at) as created_at
     from documents where owner_id = $3 and id < $1 order by id desc limit $2",
);

static UNINDEXED: Statement = Statement::new(
    "documents.unindexed",
    "select id, name, owner_id as owner, false as indexed, rfc3339(created_at) as created_at
     from documents where indexed_at is null and id < $1 order by id desc limit $2",
);

static LIST_BY_OFFSET: Statement = Statement::new(
    "documents.list_by_offset",
    "select id, name, owner_id as owner, indexed_at is not null as indexed, rfc3339(created_at) as created_at
     from documents where $3::uuid is null or owner_id = $3 order by id desc limit $2 offset $1",
);

static ONE: Statement = Statement::new(
    "documents.one",
    "select id, name, owner_id as owner, indexed_at is not null as indexed, rfc3339(created_at) as created_at
     from documents where id = $1",
);

#[derive(Debug, Deserialize)]
pub(super) struct New {
    name: Text<200>,
    text: Text<200_000>,
}

#[derive(Debug, Serialize)]
pub(super) struct Uploaded {
    id: Uuid,
    job: Uuid,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    id: Uuid,
    name: String,
    text: String,
    indexed: bool,
    created_at: String,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    id: Uuid,
    name: String,
    owner: Option<Uuid>,
    indexed: bool,
    created_at: String,
}

/// Which documents an administrator wants: all, or those that no search finds yet.
#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    unindexed: bool,
}

/// Stores a document, and the job that indexes it, in one transaction.
pub(super) async fn upload(
    State(gateway): State<Gateway>,
    Caller(caller): Caller,
    Body(New { name, text }): Body<New>,
) -> Result<(StatusCode, Json<Uploaded>), Problem> {
    let id = clock::new_id();
    let mut transaction = gateway.database.begin().await?;
    let ask = transaction.ask(&UPLOAD).bind(id).bind(caller.user);
    if ask.bind(name.as_str()).bind(text.as_str()).run().await? == 0 {
        return Err(Problem::unauthorized("the account was deleted"));
    }
    let job = enqueue(&mut transaction, &Work::Index { document: id }).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(Uploaded { id, job })))
}

pub(super) async fn read(
    State(gateway): State<Gateway>,
    _: Caller,
    Id(id): Id,
) -> Result<Json<Document>, Problem> {
    let document: Option<Document> = gateway.database.ask(&READ).bind(id).optional().await?;
    document.map(Json).ok_or_else(|| Problem::not_found("document"))
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    Caller(caller): Caller,
    Params(page): Params<PageParams>,
    Params(Filter { unindexed }): Params<Filter>,
) -> Result<Json<Page<Listed>>, Problem> {
    let owner = (caller.role != Role::Admin).then_some(caller.user);
    let ask = match (gateway.lists.paging, owner, unindexed) {
        (_, Some(_), true) => return Err(Problem::forbidden()),
        (Paging::Offset, _, false) => {
            let ask = gateway.database.ask(&LIST_BY_OFFSET).bind(page.skipped());
            ask.bind(page.read()?).bind(owner)
        }
        (Paging::Key, Some(owner), false) => {
            let ask = gateway.database.ask(&MINE).bind(page.before());
            ask.bind(page.read()?).bind(owner)
        }
        (Paging::Key, None, false) => gateway.database.ask(&LIST).bind(page.before()).bind(page.read()?),
        (_, None, true) => {
            let ask = gateway.database.ask(&UNINDEXED).bind(page.before());
            let rows = ask.bind(page.read()?).all().await?;
            return Ok(Json(page.page(rows, |document: &Listed| document.id)));
        }
    };
    let rows: Vec<Listed> = ask.all().await?;
    let page = gateway.page(&page, rows, &ONE, |document| document.id).await?;
    Ok(Json(page))
}
