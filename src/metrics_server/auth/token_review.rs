//! Finds out by `TokenReview` to which user a bearer token belongs.
//!
//! Answers stay for some seconds, under a keyed hash of the token; the token itself is never stored. A failed
//! review gives no identity.

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
use crate::status_error::StatusError;
use vas_cluster::clock::Clock;

/// Longest wait for the answer to a review.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most answers in the cache.
const CACHE_SIZE: usize = 4096;
/// Most reviews in flight at once, for all clients together: the user of a token is not known before its
/// review.
const MAX_PENDING: usize = 100;

/// Keyed hash of a token, the key of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Digest([u8; 32]);

/// Reviews tokens, with a cache.
#[derive(Clone)]
pub(crate) struct TokenReviewer {
    reviews: Api<TokenReview>,
    ttl: Duration,
    /// Users by token; `None` for a token that belongs to nobody.
    answers: ReviewCache<Digest, Option<Arc<User>>>,
    pending: Arc<Semaphore>,
    /// A random key of this process: without the key a digest says nothing about its token.
    key: Arc<hmac::Key>,
}

/// The operating system gives no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandomness;

impl TokenReviewer {
    /// Reviews in the cluster of `client`. Answers stay for `ttl`.
    ///
    /// # Errors
    /// When there are no random numbers for the key.
    pub(crate) fn new(client: Client, ttl: Duration, clock: Arc<dyn Clock>) -> Result<Self, NoRandomness> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| NoRandomness)?;
        Ok(Self {
            reviews: Api::all(client),
            ttl,
            answers: ReviewCache::new(CACHE_SIZE, clock),
            pending: Arc::new(Semaphore::new(MAX_PENDING)),
            key: Arc::new(key),
        })
    }

    /// The user of a token; `None` if the token is not valid.
    ///
    /// # Errors
    /// 429 if too many reviews are in flight, 500, 503 or 504 if the review failed.
    pub(crate) async fn user(&self, token: &str) -> Result<Option<Arc<User>>, StatusError> {
        let ask = |_: &Digest| {
            let permit = self.pending.clone().try_acquire_owned().map_err(|_| {
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
                let _permit = permit;
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

/// The reviewed user; `None` unless the API server says `authenticated: true` and names the user.
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

/// The token of `Authorization: Bearer TOKEN`; `None` for other schemes, which are ignored.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
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
