//! Whose a bearer token is, by `TokenReview`.
//!
//! Answers count for seconds and are kept under a keyed hash of the token: the token itself is kept nowhere.
//! A review that fails is no identity.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, header::AUTHORIZATION};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus};
use kube::{Api, Client};
use ring::{hmac, rand::SystemRandom};
use tokio::sync::Semaphore;

use super::{
    authn::{User, authenticated},
    review,
    review_cache::ReviewCache,
};
use crate::{cluster::clock::Clock, metrics_server::status_error::StatusError};

/// Longest wait for a review.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most answers kept.
const CACHE_SIZE: usize = 4096;
/// Most reviews under way at once. Tokens name no user before they are reviewed, so all share this limit.
const MAX_PENDING: usize = 100;

/// What stands for a token in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Digest([u8; 32]);

/// Asks for reviews.
#[derive(Clone)]
pub struct TokenReviewer {
    reviews: Api<TokenReview>,
    ttl: Duration,
    /// `None` for a token that is nobody's.
    answers: ReviewCache<Digest, Option<Arc<User>>>,
    pending: Arc<Semaphore>,
    /// Of this process alone: the digests say nothing to anybody who reads its memory.
    key: Arc<hmac::Key>,
}

/// The system has no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandomness;

impl TokenReviewer {
    /// Reviews by the cluster of `client`, whose answers count for `ttl`.
    ///
    /// # Errors
    /// Without random numbers.
    pub fn new(client: Client, ttl: Duration, clock: Arc<dyn Clock>) -> Result<Self, NoRandomness> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| NoRandomness)?;
        Ok(Self {
            reviews: Api::all(client),
            ttl,
            answers: ReviewCache::new(CACHE_SIZE, clock),
            pending: Arc::new(Semaphore::new(MAX_PENDING)),
            key: Arc::new(key),
        })
    }

    /// Whose token it is; `None` if it is nobody's.
    ///
    /// # Errors
    /// 429 if too many reviews are under way, 500, 503 or 504 if the review failed.
    pub async fn user(&self, token: &str) -> Result<Option<Arc<User>>, StatusError> {
        let ask = |_: &Digest| {
            let place = self.pending.clone().try_acquire_owned().map_err(|_| {
                StatusError::too_many_requests(format!(
                    "{MAX_PENDING} bearer tokens are being reviewed already"
                ))
            })?;
            let review = TokenReview {
                spec: TokenReviewSpec {
                    token: token.to_owned(),
                    ..TokenReviewSpec::default()
                },
                ..TokenReview::default()
            };
            let (reviews, ttl) = (self.reviews.clone(), self.ttl);
            Ok(async move {
                let _place = place;
                let review = review::send("review of the bearer token", &reviews, &review, TIMEOUT).await?;
                Ok((review.status.and_then(user).map(Arc::new), ttl))
            })
        };
        self.answers.get(self.digest(token), ask).await
    }

    fn digest(&self, token: &str) -> Digest {
        let mut digest = [0; 32];
        let tag = hmac::sign(&self.key, token.as_bytes());
        for (to, from) in digest.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        Digest(digest)
    }
}

/// Who the API server says it is; nobody without its plain yes and a name.
fn user(status: TokenReviewStatus) -> Option<User> {
    if status.authenticated != Some(true) {
        return None;
    }
    let info = status.user?;
    Some(authenticated(User {
        name: info.username.filter(|name| !name.is_empty())?,
        uid: info.uid.filter(|uid| !uid.is_empty()),
        groups: info.groups.unwrap_or_default(),
        extra: info.extra.unwrap_or_default(),
    }))
}

/// The token of `Authorization: Bearer TOKEN`; `None` for other schemes, which are not ours to judge.
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .trim()
        .split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests;
