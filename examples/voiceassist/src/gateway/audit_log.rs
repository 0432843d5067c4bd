//! The audit log: who did what to what. Rows are only ever added.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::state::Gateway;
use crate::{
    clock,
    database::{Database, DatabaseError, Statement, Transaction},
    http::{Page, PageParams, Paging, Params, Problem, Text},
    identity::Administrator,
};

pub(super) const STATEMENTS: &[&Statement] = &[
    &WRITE,
    &LIST,
    &BY_ACTOR,
    &BY_ACTION,
    &BY_SUBJECT,
    &BY_ACTOR_AND_ACTION,
    &BY_OFFSET,
    &ONE,
];

static WRITE: Statement = Statement::new(
    "audit.write",
    "insert into audit_log (id, actor_id, action, subject) values ($1, $2, $3, $4)",
);

static LIST: Statement = Statement::new(
    "audit.list",
    "select id, actor_id as actor, action, subject, rfc3339(created_at) as created_at
     from audit_log where id < $1 order by id desc limit $2",
);

static BY_ACTOR: Statement = Statement::new(
    "audit.by_actor",
    "select id, actor_id as actor, action, subject, rfc3339(created_at) as created_at
     from audit_log where id < $1 and actor_id = $3 order by id desc limit $2",
);

static BY_ACTION: Statement = Statement::new(
    "audit.by_action",
    "select id, actor_id as actor, action, subject, rfc3339(created_at) as created_at
     from audit_log where id < $1 and action = $3 order by id desc limit $2",
);

static BY_SUBJECT: Statement = Statement::new(
    "audit.by_subject",
    "select id, actor_id as actor, action, subject, rfc3339(created_at) as created_at
     from audit_log where id < $1 and subject = $3 order by id desc limit $2",
);

static BY_ACTOR_AND_ACTION: Statement = Statement::new(
    "audit.by_actor_and_action",
    "select id, actor_id as actor, action, subject, rfc3339(created_at) as created_at
     from audit_log where id < $1 and actor_id = $3 and action = $4 order by id desc limit $2",
);

static BY_OFFSET: Statement = Statement::new(
    "audit.by_offset",
    "select id, actor_id as actor, action, subject, rfc3339(created_at) as created_at
     from audit_log
     where ($3::uuid is null or actor_id = $3) and ($4::text is null or action = $4) and ($5::text is null or subject = $5)
     order by id desc limit $2 offset $1",
);

static ONE: Statement = Statement::new(
    "audit.one",
    "select id, actor_id as actor, action, subject, rfc3339(created_at) as created_at from audit_log where id = $1",
);

/// Which entries are wanted: of a subject, or of an actor, an action, or both.
#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    actor: Option<Uuid>,
    action: Option<Text<100>>,
    subject: Option<Text<300>>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    id: Uuid,
    actor: Option<Uuid>,
    action: String,
    subject: String,
    created_at: String,
}

/// Adds an entry of its own.
pub(super) async fn write(
    database: &Database,
    actor: Option<Uuid>,
    action: &str,
    subject: &str,
) -> Result<(), DatabaseError> {
    let entry = database.ask(&WRITE).bind(clock::new_id()).bind(actor);
    entry.bind(action).bind(subject).run().await?;
    Ok(())
}

/// Adds an entry in the transaction that does what it says.
pub(super) async fn write_in(
    transaction: &mut Transaction,
    actor: Uuid,
    action: &str,
    subject: &str,
) -> Result<(), DatabaseError> {
    let entry = transaction.ask(&WRITE).bind(clock::new_id()).bind(Some(actor));
    entry.bind(action).bind(subject).run().await?;
    Ok(())
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    _: Administrator,
    Params(page): Params<PageParams>,
    Params(Filter {
        actor,
        action,
        subject,
    }): Params<Filter>,
) -> Result<Json<Page<Entry>>, Problem> {
    let (action, subject) = (
        action.as_ref().map(Text::as_str),
        subject.as_ref().map(Text::as_str),
    );
    let statement = match (actor, action, subject) {
        (None, None, None) => &LIST,
        (Some(_), None, None) => &BY_ACTOR,
        (None, Some(_), None) => &BY_ACTION,
        (Some(_), Some(_), None) => &BY_ACTOR_AND_ACTION,
        (None, None, Some(_)) => &BY_SUBJECT,
        (_, _, Some(_)) => return Err(Problem::invalid("subject goes with no other filter")),
    };
    let ask = match gateway.lists.paging {
        Paging::Key => {
            let mut ask = gateway
                .database
                .ask(statement)
                .bind(page.before())
                .bind(page.read()?);
            if let Some(actor) = actor {
                ask = ask.bind(actor);
            }
            for text in action.into_iter().chain(subject) {
                ask = ask.bind(text.to_owned());
            }
            ask
        }
        Paging::Offset => {
            let ask = gateway
                .database
                .ask(&BY_OFFSET)
                .bind(page.skipped())
                .bind(page.read()?);
            ask.bind(actor)
                .bind(action.map(str::to_owned))
                .bind(subject.map(str::to_owned))
        }
    };
    let rows: Vec<Entry> = ask.all().await?;
    let page = gateway.page(&page, rows, &ONE, |entry| entry.id).await?;
    Ok(Json(page))
}
