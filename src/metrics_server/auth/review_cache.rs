//! A cache for the answers of reviews. Answers stay for a time, their number is bounded, and requests that
//! wait for the same question share one review.
//!
//! This is our own code and not a cache crate for four reasons. The time is the injected clock's. A yes and a
//! no stay for different times. A failure is never kept. And a review for which no request waits any more is
//! cancelled, so requests that a client sends and cancels do not pile up reviews.

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

use crate::status_error::StatusError;
use vas_cluster::clock::Clock;

/// Answers `A` by question `Q`. Clones share the answers.
pub(super) struct ReviewCache<Q, A> {
    answers: Arc<Mutex<Answers<Q, A>>>,
    clock: Arc<dyn Clock>,
}

type PendingAnswer<A> = BoxFuture<'static, Result<A, StatusError>>;

struct Answers<Q, A> {
    capacity: usize,
    kept: BTreeMap<Arc<Q>, Kept<A>>,
    /// The questions of all kept answers, the oldest first. Some entries belong to an answer that a newer one
    /// has replaced since.
    order: VecDeque<(u64, Arc<Q>)>,
    in_flight: BTreeMap<Arc<Q>, (u64, WeakShared<PendingAnswer<A>>)>,
    next: u64,
}

struct Kept<A> {
    answer: A,
    until: Duration,
    number: u64,
}

impl<Q: Ord + Send + Sync + 'static, A: Clone + Send + Sync + 'static> ReviewCache<Q, A> {
    /// A cache for at most `capacity` answers.
    pub(super) fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(Answers {
                capacity,
                kept: BTreeMap::new(),
                order: VecDeque::new(),
                in_flight: BTreeMap::new(),
                next: 0,
            })),
            clock,
        }
    }

    /// The answer to a question: the kept one, that of a review already in flight, or that of `ask`. `ask`
    /// returns the answer together with the time for which it stays valid.
    ///
    /// # Errors
    /// The error of `ask`, for all requests that wait for it.
    pub(super) async fn get<F>(
        &self,
        question: Q,
        ask: impl FnOnce(&Q) -> Result<F, StatusError>,
    ) -> Result<A, StatusError>
    where
        F: Future<Output = Result<(A, Duration), StatusError>> + Send + 'static,
    {
        // The lock is held until a new review is registered, so that two requests never begin the same one.
        // It is released before the wait.
        let in_flight = {
            let mut answers = self.answers.lock();
            if let Some(answer) = answers.kept(&question, self.clock.monotonic()) {
                return Ok(answer);
            }
            match answers.in_flight(&question) {
                Some(in_flight) => in_flight,
                None => self.begin(&mut answers, question, ask)?,
            }
        };
        in_flight.await
    }

    fn begin<F>(
        &self,
        answers: &mut Answers<Q, A>,
        question: Q,
        ask: impl FnOnce(&Q) -> Result<F, StatusError>,
    ) -> Result<Shared<PendingAnswer<A>>, StatusError>
    where
        F: Future<Output = Result<(A, Duration), StatusError>> + Send + 'static,
    {
        let request = ask(&question)?;
        let question = Arc::new(question);
        let number = answers.number();
        let guard = InFlight {
            answers: self.answers.clone(),
            question: question.clone(),
            number,
        };
        let clock = self.clock.clone();
        let in_flight = async move {
            // Moves the guard into the future, so that its Drop also runs when the future is dropped before
            // its first poll.
            let guard = guard;
            let (answer, ttl) = request.await?;
            guard.keep(answer.clone(), clock.monotonic().saturating_add(ttl));
            Ok(answer)
        };
        let in_flight = in_flight.boxed().shared();
        // The map holds a weak reference: when the last waiting request is gone, the future is dropped and
        // with it the review.
        if let Some(weak) = in_flight.downgrade() {
            answers.in_flight.insert(question, (number, weak));
        }
        Ok(in_flight)
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

/// The guard of a review in flight. It is dropped when the answer is there, or when no request waits for it
/// any more.
struct InFlight<Q: Ord, A> {
    answers: Arc<Mutex<Answers<Q, A>>>,
    question: Arc<Q>,
    number: u64,
}

impl<Q: Ord, A: Clone> InFlight<Q, A> {
    fn keep(&self, answer: A, until: Duration) {
        self.answers.lock().keep(self.question.clone(), answer, until);
    }
}

impl<Q: Ord, A> Drop for InFlight<Q, A> {
    fn drop(&mut self) {
        let mut answers = self.answers.lock();
        // A newer review of the same question may be in flight already; its entry stays.
        if answers
            .in_flight
            .get(&self.question)
            .is_some_and(|(number, _)| *number == self.number)
        {
            answers.in_flight.remove(&self.question);
        }
    }
}

impl<Q: Ord, A: Clone> Answers<Q, A> {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn in_flight(&self, question: &Q) -> Option<Shared<PendingAnswer<A>>> {
        let (_, in_flight) = self.in_flight.get(question)?;
        in_flight.upgrade()
    }

    fn kept(&self, question: &Q, now: Duration) -> Option<A> {
        let kept = self.kept.get(question).filter(|kept| now < kept.until)?;
        Some(kept.answer.clone())
    }

    /// Keeps an answer. If the cache is full, the oldest one is removed.
    fn keep(&mut self, question: Arc<Q>, answer: A, until: Duration) {
        // The number tells whether the front of `order` still is the kept answer, or was replaced by a newer
        // one.
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
