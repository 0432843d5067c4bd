//! Whether a user may do a request, by `SubjectAccessReview`; nothing is allowed because a review failed.
//!
//! The HPA reads every metric every 15 s and answers of reviews live 10 s by default, so an exact review per URL would
//! cost one API call per read. So one broad review is made first (any metric of the group in any namespace): where it
//! allows, it covers all reads of that user in that group. Where it does not, the exact one decides, and plain RBAC can limit
//! tenants to a namespace and a metric.

mod action;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::api::authorization::v1::{SubjectAccessReview, SubjectAccessReviewSpec};
use kube::{Api, Client, api::PostParams};
use parking_lot::Mutex;

pub use self::action::Action;
use super::{authn::User, status_error::StatusError};
use crate::clock::Clock;

/// Longest wait for a review.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most answers kept, of broad reviews and of exact ones each.
const CACHE_SIZE: usize = 10_000;
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

/// Asks for reviews.
#[derive(Clone)]
pub struct Authorizer {
    reviews: Api<SubjectAccessReview>,
    ttl: CacheTtl,
    clock: Arc<dyn Clock>,
    cache: Arc<Mutex<Cache>>,
}

type Question = (User, Action);

/// Answers by question. Broad ones have room of their own: those that one client makes up, path by path, do not
/// push out the one that the HPA lives on.
#[derive(Default)]
struct Cache {
    broad: Answers,
    exact: Answers,
}

#[derive(Default)]
struct Answers {
    kept: BTreeMap<Arc<Question>, Answer>,
    /// Every answer kept, the oldest first, and some that a newer one has replaced since.
    order: VecDeque<(u64, Arc<Question>)>,
    next: u64,
}

struct Answer {
    allowed: bool,
    until: Duration,
    number: u64,
}

impl Authorizer {
    /// Reviews by the cluster of `client`.
    pub fn new(client: Client, ttl: CacheTtl, clock: Arc<dyn Clock>) -> Self {
        Self {
            reviews: Api::all(client),
            ttl,
            clock,
            cache: Arc::default(),
        }
    }

    /// Passes if the user may.
    ///
    /// # Errors
    /// 403 if not, 500 if the review failed.
    pub async fn authorize(&self, user: &User, action: Action) -> Result<(), StatusError> {
        if user.groups.iter().any(|group| group == GROUP_MASTERS) {
            return Ok(());
        }
        if let Some(broad) = action.broad()
            && self.allowed(user, broad).await?
        {
            return Ok(());
        }
        let refusal = action.refusal(user);
        if self.allowed(user, action).await? {
            Ok(())
        } else {
            Err(refusal)
        }
    }

    async fn allowed(&self, user: &User, action: Action) -> Result<bool, StatusError> {
        let key = (user.clone(), action);
        let now = self.clock.monotonic();
        if let Some(allowed) = self.cache.lock().answers(&key.1).get(&key, now) {
            return Ok(allowed);
        }
        let review = SubjectAccessReview {
            spec: spec(user, &key.1),
            ..SubjectAccessReview::default()
        };
        let failed = |why: String| StatusError::internal(format!("the access review failed: {why}"));
        let params = PostParams::default();
        let review = tokio::time::timeout(TIMEOUT, self.reviews.create(&params, &review))
            .await
            .map_err(|_| failed(format!("no answer within {}s", TIMEOUT.as_secs())))?
            .map_err(|error| failed(error.to_string()))?;
        let allowed = review
            .status
            .is_some_and(|status| status.allowed && status.denied != Some(true));
        let ttl = if allowed {
            self.ttl.authorized
        } else {
            self.ttl.unauthorized
        };
        let until = self.clock.monotonic().saturating_add(ttl);
        self.cache.lock().answers(&key.1).put(key, allowed, until);
        Ok(allowed)
    }
}

impl Cache {
    fn answers(&mut self, action: &Action) -> &mut Answers {
        match action {
            Action::ReadAnyMetric(_) => &mut self.broad,
            Action::ReadMetric(_) | Action::GetPath(_) => &mut self.exact,
        }
    }
}

impl Answers {
    fn get(&self, question: &Question, now: Duration) -> Option<bool> {
        self.kept
            .get(question)
            .filter(|answer| now < answer.until)
            .map(|answer| answer.allowed)
    }

    /// Keeps an answer. Where there is no more room the oldest goes.
    fn put(&mut self, question: Question, allowed: bool, until: Duration) {
        if self.order.len() >= CACHE_SIZE
            && let Some((number, oldest)) = self.order.pop_front()
            && self
                .kept
                .get(&oldest)
                .is_some_and(|answer| answer.number == number)
        {
            self.kept.remove(&oldest);
        }
        let question = Arc::new(question);
        let number = self.next;
        self.next += 1;
        self.order.push_back((number, question.clone()));
        self.kept.insert(
            question,
            Answer {
                allowed,
                until,
                number,
            },
        );
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
