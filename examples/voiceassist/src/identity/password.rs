//! Hashes of passwords: argon2id, 19 MiB and two passes (the default of the library, and what OWASP names first).
//!
//! A hash takes some 20 ms of a core and 19 MiB, so only as many run at once as there are cores: a thousand logins at once
//! take 38 MiB on two cores, not 19 GiB.

use std::{sync::Arc, thread::available_parallelism, time::Duration};

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::http::Problem;

/// A hash of nobody's password, with the same cost.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2Q$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Makes and compares hashes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    /// A permit for each hash that may be made at once.
    turns: Arc<Semaphore>,
    /// Longest wait for a turn.
    wait: Duration,
}

impl Passwords {
    /// As many hashes at once as there are cores. Who has no turn within `wait` is refused with 503.
    pub fn new(wait: Duration) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new(cores)),
            wait,
        }
    }

    /// Whether this is the password of the hash. Without a hash it is not, after the same time.
    ///
    /// # Errors
    /// If there was no turn in time.
    pub async fn matches(&self, password: String, hash: Option<String>) -> Result<bool, Problem> {
        self.turn(move || {
            let known = hash.is_some();
            let hash = hash.as_deref().unwrap_or(NOBODY);
            known
                & Argon2::default()
                    .verify_password(password.as_bytes(), hash)
                    .is_ok()
        })
        .await
    }

    /// A hash of the password with a salt of its own.
    ///
    /// # Errors
    /// If there was no turn in time, or the system has no random numbers.
    pub async fn hash(&self, password: String) -> Result<String, Problem> {
        self.turn(move || hash(&password))
            .await?
            .ok_or_else(|| Problem::unavailable("no random numbers"))
    }

    async fn turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let busy = || Problem::unavailable("too many logins at once");
        let turn = tokio::time::timeout(self.wait, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| busy())?
            .map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|_| busy())
    }
}

/// A hash of the password with a salt of its own; `None` if the system has no random numbers.
pub fn hash(password: &str) -> Option<String> {
    let hash = Argon2::default().hash_password(password.as_bytes()).ok()?;
    Some(hash.to_string())
}

#[cfg(test)]
mod tests {
    use axum::{http::StatusCode, response::IntoResponse as _};

    use super::*;

    #[tokio::test]
    async fn a_login_without_a_turn_is_refused_once_it_has_waited() {
        let passwords = Passwords::new(Duration::from_millis(20));
        let cores = u32::try_from(passwords.turns.available_permits()).unwrap();
        let busy = passwords.turns.acquire_many(cores).await.unwrap();
        let refused = passwords.matches("load-test".to_owned(), None).await;
        let answer = refused.unwrap_err().into_response();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key("retry-after"));
        drop(busy);
        assert!(!passwords.matches("load-test".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_alone() {
        let passwords = Passwords::new(Duration::from_secs(60));
        let hash = passwords.hash("load-test".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(
            passwords
                .matches("load-test".to_owned(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .matches("load-tesT".to_owned(), Some(hash))
                .await
                .unwrap()
        );
        assert!(!passwords.matches("load-test".to_owned(), None).await.unwrap());
    }

    #[test]
    fn nobodys_hash_costs_what_others_cost() {
        assert!(argon2::password_hash::phc::PasswordHash::new(NOBODY).is_ok());
    }
}
