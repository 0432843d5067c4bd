//! Decides by `SubjectAccessReview` whether a user may make a request. A failed review never allows it.
//!
//! The HPA reads every metric every 15 s, and answers of reviews stay for 10 s by default. So an exact review
//! for each URL would cost one API call for each read. Therefore a broad review is made first: may the user
//! read any metric of the group in any namespace? If it allows, it covers all reads of that user in that
//! group. If not, the exact review decides, so plain RBAC can limit tenants to one namespace and one metric.

mod action;

use std::{sync::Arc, time::Duration};

use k8s_openapi::api::authorization::v1::{SubjectAccessReview, SubjectAccessReviewSpec};
use kube::{Api, Client};

pub(crate) use self::action::Action;
use super::{authn::User, review, review_cache::ReviewCache};
use crate::{in_flight::InFlight, status_error::StatusError};
use vas_cluster::clock::Clock;

/// Longest wait for the answer to a review.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most answers in each of the two caches, broad and exact.
const CACHE_SIZE: usize = 10_000;
/// Most reviews of one user in flight at once.
const MAX_PENDING: usize = 100;
/// The group whose members may do everything; kube-apiserver reviews nothing for them either.
const GROUP_MASTERS: &str = "system:masters";

/// How long answers stay in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheTtl {
    /// For an answer that allows.
    pub authorized: Duration,
    /// For an answer that does not allow.
    pub unauthorized: Duration,
}

type Question = (Arc<User>, Action);

/// Authorizes requests by reviews, with two caches.
#[derive(Clone)]
pub(crate) struct Authorizer {
    reviews: Api<SubjectAccessReview>,
    ttl: CacheTtl,
    /// Broad answers have a cache of their own. Otherwise a client could push out the one answer that the HPA
    /// depends on, with exact reviews for paths that it makes up.
    broad: ReviewCache<Question, bool>,
    exact: ReviewCache<Question, bool>,
    pending: InFlight<Arc<User>>,
}

impl Authorizer {
    /// Reviews in the cluster of `client`.
    pub(crate) fn new(client: Client, ttl: CacheTtl, clock: Arc<dyn Clock>) -> Self {
        Self {
            reviews: Api::all(client),
            ttl,
            broad: ReviewCache::new(CACHE_SIZE, clock.clone()),
            exact: ReviewCache::new(CACHE_SIZE, clock),
            pending: InFlight::new(MAX_PENDING),
        }
    }

    /// Returns `Ok` if the user may do `action`.
    ///
    /// # Errors
    /// 403 if not, 429 if too many reviews of the user are in flight, 500, 503 or 504 if a review failed.
    pub(crate) async fn authorize(&self, user: &Arc<User>, action: Action) -> Result<(), StatusError> {
        if user.groups.iter().any(|group| group == GROUP_MASTERS) {
            return Ok(());
        }
        if let Some(broad) = action.broad()
            && self.allowed(&self.broad, user, broad).await?
        {
            return Ok(());
        }
        let refusal = action.refusal(user);
        if self.allowed(&self.exact, user, action).await? {
            Ok(())
        } else {
            Err(refusal)
        }
    }

    async fn allowed(
        &self,
        answers: &ReviewCache<Question, bool>,
        user: &Arc<User>,
        action: Action,
    ) -> Result<bool, StatusError> {
        let ask = |(user, action): &Question| {
            let permit = self.pending.enter(user).ok_or_else(|| {
                StatusError::too_many_requests(format!(
                    "{MAX_PENDING} requests of user {:?} wait for their access reviews already",
                    user.name
                ))
            })?;
            let review = SubjectAccessReview {
                spec: spec(user, action),
                ..SubjectAccessReview::default()
            };
            let (reviews, ttl) = (self.reviews.clone(), self.ttl);
            Ok(async move {
                let _permit = permit;
                let review = review::send("access review", &reviews, &review, TIMEOUT).await?;
                let allowed = review
                    .status
                    .is_some_and(|status| status.allowed && status.denied != Some(true));
                Ok(if allowed {
                    (true, ttl.authorized)
                } else {
                    (false, ttl.unauthorized)
                })
            })
        };
        answers.get((user.clone(), action), ask).await
    }
}

fn spec(user: &User, action: &Action) -> SubjectAccessReviewSpec {
    let (resource_attributes, non_resource_attributes) = action.attributes();
    SubjectAccessReviewSpec {
        user: Some(user.name.clone()),
        uid: user.uid.clone(),
        groups: Some(user.groups.clone()),
        extra: Some(user.extra.clone()),
        resource_attributes,
        non_resource_attributes,
    }
}

#[cfg(test)]
mod tests;
