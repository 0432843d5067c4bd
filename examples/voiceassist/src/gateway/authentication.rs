//! Login and refresh.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{audit_log, state::Gateway};
use crate::{
    clock,
    database::Statement,
    http::{Body, Email, Problem, Text},
    identity::{Identity, RefreshToken, Role},
};

pub(super) const STATEMENTS: &[&Statement] = &[&BY_EMAIL];

/// The unique constraint on the address serves it.
static BY_EMAIL: Statement = Statement::new(
    "users.by_email",
    "select id, role, password_hash from users where email = $1",
);

#[derive(Debug, Deserialize)]
pub(super) struct Login {
    email: Email,
    password: Text<200>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refresh {
    refresh_token: Text<200>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tokens {
    token: String,
    expires_in: u64,
    refresh_token: String,
}

pub(super) async fn login(
    State(gateway): State<Gateway>,
    Body(Login { email, password }): Body<Login>,
) -> Result<Json<Tokens>, Problem> {
    let row: Option<(Uuid, String, Option<String>)> = gateway
        .database
        .ask(&BY_EMAIL)
        .bind(email.as_str())
        .optional()
        .await?;
    let (identity, hash) = match row {
        Some((user, role, hash)) => (
            Some(Identity {
                user,
                role: Role::stored(&role),
            }),
            hash,
        ),
        None => (None, None),
    };
    let matches = gateway
        .passwords
        .matches(password.as_str().to_owned(), hash)
        .await?;
    match identity.filter(|_| matches) {
        Some(identity) => {
            audit_log::write(&gateway.database, Some(identity.user), "login", email.as_str()).await?;
            tokens(&gateway, identity).await
        }
        None => Err(Problem::unauthorized(
            "there is no such account with this password",
        )),
    }
}

pub(super) async fn refresh(
    State(gateway): State<Gateway>,
    Body(Refresh { refresh_token }): Body<Refresh>,
) -> Result<Json<Tokens>, Problem> {
    match RefreshToken::redeem(&gateway.database, refresh_token.as_str()).await? {
        Some(identity) => tokens(&gateway, identity).await,
        None => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "the refresh token is unknown, used or expired: log in again",
        )),
    }
}

async fn tokens(gateway: &Gateway, identity: Identity) -> Result<Json<Tokens>, Problem> {
    let lifetime = gateway.limits.token_lifetime;
    let refresh_token = RefreshToken::issue(&gateway.database, identity.user)
        .await?
        .into_text();
    let token = gateway.tokens.sign(identity, clock::since_epoch() + lifetime);
    Ok(Json(Tokens {
        token,
        expires_in: lifetime.as_secs(),
        refresh_token,
    }))
}
