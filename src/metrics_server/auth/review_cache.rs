//! Answers of reviews, kept for a time, bounded in number, and asked for once however many wait for them.
//!
//! Own code, not a cache crate: the time is the injected clock's, a yes and a no live differently long, a failure is
//! never kept, and a question that nobody waits for any more is given up, so requests that a client sends
//! and cancels do not pile up reviews.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use parking_lot::Mutex;

use crate::{cluster::clock::Clock, metrics_server::status_error::StatusError};

/// Answers `A` by question `Q`. Clones share them.
pub struct ReviewCache<Q, A> {
    answers: Arc<Mutex<Answers<Q, A>>>,
    clock: Arc<dyn Clock>,
}

type Asking<A> = BoxFuture<'static, Result<A, StatusError>>;

struct Answers<Q, A> {
    capacity: usize,
    kept: BTreeMap<Arc<Q>, Kept<A>>,
    /// Every answer kept, the oldest first, and some that a newer one has replaced since.
    order: VecDeque<(u64, Arc<Q>)>,
    asking: BTreeMap<Arc<Q>, (u64, WeakShared<Asking<A>>)>,
    next: u64,
}

struct Kept<A> {
    answer: A,
    until: Duration,
    number: u64,
}

impl<Q: Ord + Send + Sync + 'static, A: Clone + Send + Sync + 'static> ReviewCache<Q, A> {
    /// Room for so many answers.
    pub fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(Answers {
                capacity,
                kept: BTreeMap::new(),
                order: VecDeque::new(),
                asking: BTreeMap::new(),
                next: 0,
            })),
            clock,
        }
    }

    /// The answer to a question: the one kept, the one that another request waits for already, or that of `ask`, which
    /// says for how long it counts.
    ///
    /// # Errors
    /// What `ask` refuses or fails with, for all that wait for it.
    pub async fn get<F>(
        &self,
        question: Q,
        ask: impl FnOnce(&Q) -> Result<F, StatusError>,
    ) -> Result<A, StatusError>
    where
        F: Future<Output = Result<(A, Duration), StatusError>> + Send + 'static,
    {
        let asking = {
            let mut answers = self.answers.lock();
            if let Some(answer) = answers.kept(&question, self.clock.monotonic()) {
                return Ok(answer);
            }
            match answers.under_way(&question) {
                Some(asking) => asking,
                None => self.begin(&mut answers, question, ask)?,
            }
        };
        asking.await
    }

    fn begin<F>(
        &self,
        answers: &mut Answers<Q, A>,
        question: Q,
        ask: impl FnOnce(&Q) -> Result<F, StatusError>,
    ) -> Result<Shared<Asking<A>>, StatusError>
    where
        F: Future<Output = Result<(A, Duration), StatusError>> + Send + 'static,
    {
        let asked = ask(&question)?;
        let question = Arc::new(question);
        let number = answers.number();
        let under_way = UnderWay {
            answers: self.answers.clone(),
            question: question.clone(),
            number,
        };
        let clock = self.clock.clone();
        let asking = async move {
            // Also where it is dropped before it was ever polled.
            let under_way = under_way;
            let (answer, ttl) = asked.await?;
            under_way.keep(answer.clone(), clock.monotonic().saturating_add(ttl));
            Ok(answer)
        };
        let asking = asking.boxed().shared();
        if let Some(weak) = asking.downgrade() {
            answers.asking.insert(question, (number, weak));
        }
        Ok(asking)
    }
}

impl<Q, A> Clone for ReviewCache<Q, A> {
    fn clone(&self) -> Self {
        Self {
            answers: self.answers.clone(),
            clock: self.clock.clone(),
        }
    }
}

/// A question under way. It ends with its answer, or when the last one that waited for it is gone.
struct UnderWay<Q: Ord, A> {
    answers: Arc<Mutex<Answers<Q, A>>>,
    question: Arc<Q>,
    number: u64,
}

impl<Q: Ord, A: Clone> UnderWay<Q, A> {
    fn keep(&self, answer: A, until: Duration) {
        self.answers.lock().keep(self.question.clone(), answer, until);
    }
}

impl<Q: Ord, A> Drop for UnderWay<Q, A> {
    fn drop(&mut self) {
        let mut answers = self.answers.lock();
        // It may have been asked again already.
        if answers
            .asking
            .get(&self.question)
            .is_some_and(|(number, _)| *number == self.number)
        {
            answers.asking.remove(&self.question);
        }
    }
}

impl<Q: Ord, A: Clone> Answers<Q, A> {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn under_way(&self, question: &Q) -> Option<Shared<Asking<A>>> {
        let (_, asking) = self.asking.get(question)?;
        asking.upgrade()
    }

    fn kept(&self, question: &Q, now: Duration) -> Option<A> {
        let kept = self.kept.get(question).filter(|kept| now < kept.until)?;
        Some(kept.answer.clone())
    }

    /// Keeps an answer. Where there is no more room the oldest goes.
    fn keep(&mut self, question: Arc<Q>, answer: A, until: Duration) {
        if self.order.len() >= self.capacity
            && let Some((number, oldest)) = self.order.pop_front()
            && self.kept.get(&oldest).is_some_and(|kept| kept.number == number)
        {
            self.kept.remove(&oldest);
        }
        let number = self.number();
        self.order.push_back((number, question.clone()));
        self.kept.insert(
            question,
            Kept {
                answer,
                until,
                number,
            },
        );
    }
}

#[cfg(test)]
mod tests;
