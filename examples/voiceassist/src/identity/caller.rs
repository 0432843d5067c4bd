//! The caller of a request, from `Authorization: Bearer`.

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{header, request::Parts},
};

use super::{Identity, Role, token::TokenKey};
use crate::{clock, http::Problem};

/// Who is logged in.
#[derive(Clone, Copy, Debug)]
pub struct Caller(pub Identity);

/// An administrator who is logged in.
#[derive(Clone, Copy, Debug)]
pub struct Administrator(pub Identity);

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    TokenKey: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| {
                Problem::unauthorized("log in at /api/auth/login, and send the token as Bearer")
            })?;
        TokenKey::from_ref(state)
            .check(token, clock::since_epoch())
            .map(Self)
            .ok_or_else(|| Problem::unauthorized("the token is wrong or has expired"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Administrator
where
    TokenKey: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Caller(identity) = Caller::from_request_parts(parts, state).await?;
        match identity.role {
            Role::Admin => Ok(Self(identity)),
            Role::User | Role::Power => Err(Problem::forbidden()),
        }
    }
}
