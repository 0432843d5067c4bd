//! Users: the caller itself, and what administrators do with all of them.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{audit_log, state::Gateway};
use crate::{
    clock,
    database::Statement,
    http::{Body, Email, Id, Page, PageParams, Params, Problem},
    identity::{Administrator, Caller, Role},
};

pub(super) const STATEMENTS: &[&Statement] =
    &[&READ, &LIST, &BY_ROLE, &INVITED, &INVITE, &INVITED_AS, &DELETE];

static READ: Statement = Statement::new(
    "users.read",
    "select id, email, role, password_hash is null as invited, rfc3339(created_at) as created_at
     from users where id = $1",
);

static LIST: Statement = Statement::new(
    "users.list",
    "select id, email, role, password_hash is null as invited, rfc3339(created_at) as created_at
     from users where id < $1 order by id desc limit $2",
);

static BY_ROLE: Statement = Statement::new(
    "users.by_role",
    "select id, email, role, password_hash is null as invited, rfc3339(created_at) as created_at
     from users where id < $1 and role = $3 order by id desc limit $2",
);

static INVITED: Statement = Statement::new(
    "users.invited",
    "select id, email, role, true as invited, rfc3339(created_at) as created_at
     from users where id < $1 and password_hash is null order by id desc limit $2",
);

static INVITE: Statement = Statement::new(
    "users.invite",
    "insert into users (id, email, role) values ($1, $2, $3) on conflict (email) do nothing",
);

static INVITED_AS: Statement = Statement::new(
    "users.invited_as",
    "select id from users where email = $1 and role = $2 and password_hash is null",
);

static DELETE: Statement = Statement::new("users.delete", "delete from users where id = $1");

#[derive(Debug, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    id: Uuid,
    email: String,
    role: String,
    invited: bool,
    created_at: String,
}

/// Which users are wanted: of a role, or those who were invited and have no password yet.
#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    role: Option<Role>,
    #[serde(default)]
    invited: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Invitation {
    email: Email,
    role: Option<Role>,
}

#[derive(Debug, Serialize)]
pub(super) struct Created {
    id: Uuid,
}

pub(super) async fn me(
    State(gateway): State<Gateway>,
    Caller(caller): Caller,
) -> Result<Json<User>, Problem> {
    let user: Option<User> = gateway.database.ask(&READ).bind(caller.user).optional().await?;
    user.map(Json)
        .ok_or_else(|| Problem::unauthorized("the account was deleted"))
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    _: Administrator,
    Params(page): Params<PageParams>,
    Params(Filter { role, invited }): Params<Filter>,
) -> Result<Json<Page<User>>, Problem> {
    let statement = match (role, invited) {
        (None, false) => &LIST,
        (Some(_), false) => &BY_ROLE,
        (None, true) => &INVITED,
        (Some(_), true) => return Err(Problem::invalid("role and invited do not go together")),
    };
    let mut ask = gateway
        .database
        .ask(statement)
        .bind(page.before())
        .bind(page.read()?);
    if let Some(role) = role {
        ask = ask.bind(role.as_str());
    }
    Ok(Json(page.page(ask.all().await?, |user: &User| user.id)))
}

/// Invites somebody. A second invitation of the same address is the first one again; an account that has a password is a
/// conflict.
pub(super) async fn invite(
    State(gateway): State<Gateway>,
    Administrator(admin): Administrator,
    Body(Invitation { email, role }): Body<Invitation>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    let (id, role) = (clock::new_id(), role.unwrap_or(Role::User).as_str());
    let mut transaction = gateway.database.begin().await?;
    if transaction
        .ask(&INVITE)
        .bind(id)
        .bind(email.as_str())
        .bind(role)
        .run()
        .await?
        > 0
    {
        audit_log::write_in(&mut transaction, admin.user, "user.invite", email.as_str()).await?;
        transaction.commit().await?;
        return Ok((StatusCode::CREATED, Json(Created { id })));
    }
    let invited: Option<(Uuid,)> = transaction
        .ask(&INVITED_AS)
        .bind(email.as_str())
        .bind(role)
        .optional()
        .await?;
    match invited {
        Some((id,)) => Ok((StatusCode::OK, Json(Created { id }))),
        None => Err(Problem::new(
            StatusCode::CONFLICT,
            "there is an account with this address",
        )),
    }
}

pub(super) async fn read(
    State(gateway): State<Gateway>,
    _: Administrator,
    Id(id): Id,
) -> Result<Json<User>, Problem> {
    let user: Option<User> = gateway.database.ask(&READ).bind(id).optional().await?;
    user.map(Json).ok_or_else(|| Problem::not_found("user"))
}

pub(super) async fn delete(
    State(gateway): State<Gateway>,
    Administrator(admin): Administrator,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    if id == admin.user {
        return Err(Problem::new(StatusCode::CONFLICT, "you cannot delete yourself"));
    }
    let mut transaction = gateway.database.begin().await?;
    if transaction.ask(&DELETE).bind(id).run().await? == 0 {
        return Err(Problem::not_found("user"));
    }
    audit_log::write_in(&mut transaction, admin.user, "user.delete", &id.to_string()).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
