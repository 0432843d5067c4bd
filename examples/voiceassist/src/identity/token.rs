//! Access tokens: JSON Web Tokens, signed with HMAC-SHA-256. Any replica can check one without asking anybody, so a token is
//! good until it expires; a deleted user keeps the rest of that time.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Identity;

/// `{"alg":"HS256","typ":"JWT"}`. A token with any other head is none of ours, whatever algorithm it names.
const HEAD: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Longest token that is looked at.
const MOST: usize = 1024;

/// Signs and checks tokens.
#[derive(Clone, Debug)]
pub struct TokenKey(hmac::Key);

/// The secret is too short to be one.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the secret of tokens needs 32 bytes or more")]
pub struct WeakSecret;

#[derive(Serialize, Deserialize)]
struct Claims {
    #[serde(flatten)]
    identity: Identity,
    exp: u64,
}

impl TokenKey {
    /// A key of this secret.
    ///
    /// # Errors
    /// If the secret has less than 32 bytes.
    pub fn new(secret: &str) -> Result<Self, WeakSecret> {
        if secret.len() < 32 {
            return Err(WeakSecret);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())))
    }

    /// A token for the user that expires at this time since 1970.
    pub fn sign(&self, identity: Identity, expires: Duration) -> String {
        let claims = Claims {
            identity,
            exp: expires.as_secs(),
        };
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).unwrap_or_default());
        let signed = format!("{HEAD}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// Whom the token names, if it is ours and has not expired at `now`.
    pub fn check(&self, token: &str, now: Duration) -> Option<Identity> {
        if token.len() > MOST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let claims = signed.strip_prefix(HEAD)?.strip_prefix('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.0, signed.as_bytes(), &signature).ok()?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        (now.as_secs() < claims.exp).then_some(claims.identity)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{super::Role, *};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_token_is_good_until_it_expires() {
        let key = TokenKey::new(SECRET).unwrap();
        let identity = Identity {
            user: Uuid::from_u128(7),
            role: Role::Admin,
        };
        let token = key.sign(identity, at(100));
        assert_eq!(key.check(&token, at(99)), Some(identity));
        assert_eq!(key.check(&token, at(100)), None);
    }

    #[test]
    fn what_others_made_is_refused() {
        let key = TokenKey::new(SECRET).unwrap();
        let identity = Identity {
            user: Uuid::from_u128(7),
            role: Role::User,
        };
        let token = key.sign(identity, at(100));
        let (signed, _) = token.rsplit_once('.').unwrap();
        let admin = key.sign(
            Identity {
                role: Role::Admin,
                ..identity
            },
            at(100),
        );
        let (admin, _) = admin.rsplit_once('.').unwrap();
        let (_, signature) = token.rsplit_once('.').unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let claims = signed.split_once('.').unwrap().1;
        let other = TokenKey::new(&SECRET.replace('0', "1"))
            .unwrap()
            .sign(identity, at(100));
        for wrong in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            signed.to_owned(),
            format!("{signed}."),
            format!("{admin}.{signature}"),
            format!("{none}.{claims}."),
            other,
            "a".repeat(100_000),
        ] {
            assert_eq!(key.check(&wrong, at(1)), None, "{wrong:.80}");
        }
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert_eq!(TokenKey::new("secret").err(), Some(WeakSecret));
    }
}
