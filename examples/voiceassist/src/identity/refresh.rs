//! Refresh tokens: 32 random bytes, of which PostgreSQL keeps the digest. One is good for one refresh, which gives the next.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom as _, SystemRandom},
};
use uuid::Uuid;

use super::{Identity, Role};
use crate::{
    database::{Database, DatabaseError, Statement},
    http::Problem,
};

pub(super) static STORE: Statement = Statement::new(
    "refresh_tokens.store",
    "insert into refresh_tokens (digest, user_id, expires_at) values ($1, $2, now() + interval '7 days')",
);

pub(super) static USE: Statement = Statement::new(
    "refresh_tokens.use",
    "update refresh_tokens set used_at = now() from users
     where digest = $1 and used_at is null and expires_at > now() and users.id = user_id
     returning users.id, users.role",
);

/// A refresh token.
#[derive(Debug)]
pub struct RefreshToken(String);

impl RefreshToken {
    /// A new token for the user.
    ///
    /// # Errors
    /// If it could not be stored.
    pub async fn issue(database: &Database, user: Uuid) -> Result<Self, Problem> {
        let mut bytes = [0; 32];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| Problem::unavailable("no random numbers"))?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        database
            .ask(&STORE)
            .bind(digest_of(&token))
            .bind(user)
            .run()
            .await?;
        Ok(Self(token))
    }

    /// Uses the token up, and returns whose it was; nothing if it is unknown, expired or used.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn redeem(database: &Database, token: &str) -> Result<Option<Identity>, DatabaseError> {
        let row: Option<(Uuid, String)> = database.ask(&USE).bind(digest_of(token)).optional().await?;
        Ok(row.map(|(user, role)| Identity {
            user,
            role: Role::stored(&role),
        }))
    }

    /// The token as the client gets it.
    pub fn into_text(self) -> String {
        self.0
    }
}

fn digest_of(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}
