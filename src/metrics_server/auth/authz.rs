//! Whether a user may do a request, by `SubjectAccessReview`; nothing is allowed because a review failed.
//!
//! The HPA reads every metric every 15 s and answers of reviews live 10 s by default, so an exact review per URL would
//! cost one API call per read. So one broad review is made first (any metric of the group in any namespace): where it
//! allows, it covers all reads of that user in that group. Where it does not, the exact one decides, and plain RBAC can limit
//! tenants to a namespace and a metric.

mod action;

use std::{sync::Arc, time::Duration};

use k8s_openapi::api::authorization::v1::{SubjectAccessReview, SubjectAccessReviewSpec};
use kube::{Api, Client};

pub use self::action::Action;
use super::{authn::User, review, review_cache::ReviewCache, user_limit::UserLimit};
use crate::{cluster::clock::Clock, metrics_server::status_error::StatusError};

/// Longest wait for a review.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most answers kept, of broad reviews and of exact ones each.
const CACHE_SIZE: usize = 10_000;
/// Most reviews of one user under way at once.
const MAX_PENDING: usize = 100;
/// Members may do everything.
const GROUP_MASTERS: &str = "system:masters";

/// How long answers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheTtl {
    /// Of a review that allowed.
    pub authorized: Duration,
    /// Of a review that did not.
    pub unauthorized: Duration,
}

type Question = (Arc<User>, Action);

/// Asks for reviews.
#[derive(Clone)]
pub struct Authorizer {
    reviews: Api<SubjectAccessReview>,
    ttl: CacheTtl,
    /// Broad answers have room of their own: exact ones that a client makes up, path by path, do not push out the
    /// one that the HPA lives on.
    broad: ReviewCache<Question, bool>,
    exact: ReviewCache<Question, bool>,
    pending: UserLimit,
}

impl Authorizer {
    /// Reviews by the cluster of `client`.
    pub fn new(client: Client, ttl: CacheTtl, clock: Arc<dyn Clock>) -> Self {
        Self {
            reviews: Api::all(client),
            ttl,
            broad: ReviewCache::new(CACHE_SIZE, clock.clone()),
            exact: ReviewCache::new(CACHE_SIZE, clock),
            pending: UserLimit::new(MAX_PENDING),
        }
    }

    /// Passes if the user may.
    ///
    /// # Errors
    /// 403 if not, 429 if too many reviews of the user are under way, 500, 503 or 504 if the review failed.
    pub async fn authorize(&self, user: &Arc<User>, action: Action) -> Result<(), StatusError> {
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
            let place = self.pending.enter(user).ok_or_else(|| {
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
                let _place = place;
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
