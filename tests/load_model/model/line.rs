//! The line in front of the service: which request is answered when.
//!
//! A fluid single server whose rate `c(t)` is the capacity of all Ready pods together. The work that it could have done
//! is `W(t)`, the integral of `c`, in requests. Request k, which arrives at `t_k`, begins at the work
//!
//! ```text
//! s_k = max(W(t_k), s_(k-1) + 1)
//! ```
//!
//! and is answered the service time after the moment at which `W` reaches `s_k`. While the capacity does not change this
//! is: it begins at `max(t_k, free)` and makes `free` that moment plus `1 / c`. So never more than `c` requests per
//! second are served; evenly spaced requests below `c` take exactly the service time; above it a line forms, and the
//! latency is the service time plus the line before it divided by `c`. A change of capacity counts at once for all that
//! wait; without capacity they wait until there is some again.
//!
//! A request that would have to wait behind as many as the limit allows is refused, and so is one that finds no pod.
//! Whoever gave up waiting still used its slot. A stall holds answers, not work: what would be answered during it is
//! answered at its end.

use std::{collections::VecDeque, time::Duration};

/// A millionth of a request: rounding errors of the integral up to this must not delay an answer.
const ROUNDING: f64 = 1e-6;

/// Requests that wait and requests in service. `T` identifies who waits for the answer.
#[derive(Debug)]
pub(crate) struct Line<T> {
    /// Capacity in requests per second.
    rate: f64,
    service_time: Duration,
    limit: usize,
    now: Duration,
    /// `W` at the current moment, in requests.
    work: f64,
    /// The work at which the next request can begin at the earliest.
    free: f64,
    waiting: VecDeque<(f64, T)>,
    /// Requests that have begun, each with the moment of its answer. They are in order, because all take the
    /// same service time.
    begun: VecDeque<(Duration, T)>,
    held_until: Duration,
    counts: Counts,
}

/// Counts since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests that began to be served.
    pub begun: u64,
    /// Requests that were answered by the service.
    pub served: u64,
    /// Requests that were turned away.
    pub refused: u64,
}

/// Why a request was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// As many requests wait as the limit allows.
    #[error("the queue is full")]
    Full,
    /// No pod is Ready.
    #[error("no pod is Ready")]
    NoPods,
}

impl<T> Line<T> {
    /// An empty line before a service without capacity. `limit` is how many requests may wait.
    pub(crate) fn new(service_time: Duration, limit: usize) -> Self {
        Self {
            rate: 0.0,
            service_time,
            limit,
            now: Duration::ZERO,
            work: 0.0,
            free: 0.0,
            waiting: VecDeque::new(),
            begun: VecDeque::new(),
            held_until: Duration::ZERO,
            counts: Counts::default(),
        }
    }

    /// Lets time pass. Time never runs backwards.
    pub(crate) fn advance(&mut self, now: Duration) {
        let now = now.max(self.now);
        let reached = self.work + self.rate * now.saturating_sub(self.now).as_secs_f64();
        while let Some((position, waiter)) = self
            .waiting
            .pop_front_if(|(position, _)| *position <= reached + ROUNDING)
        {
            let began = self.moment(position).unwrap_or(now).min(now);
            self.begin(began, waiter);
        }
        self.work = reached;
        self.now = now;
    }

    /// A request arrives.
    ///
    /// # Errors
    /// When it is turned away.
    pub(crate) fn arrive(&mut self, now: Duration, waiter: T) -> Result<(), Refusal> {
        self.advance(now);
        self.counts.arrived += 1;
        let position = self.free.max(self.work);
        let begins_now = self.rate > 0.0 && position <= self.work + ROUNDING;
        let refusal = if self.rate <= 0.0 {
            Some(Refusal::NoPods)
        } else if !begins_now && self.waiting.len() >= self.limit {
            Some(Refusal::Full)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            self.counts.refused += 1;
            return Err(refusal);
        }
        self.free = position + 1.0;
        if begins_now {
            self.begin(self.now, waiter);
        } else {
            self.waiting.push_back((position, waiter));
        }
        Ok(())
    }

    /// Changes the capacity, in requests per second, from now on.
    pub(crate) fn set_rate(&mut self, now: Duration, requests_per_second: f64) {
        self.advance(now);
        self.rate = requests_per_second;
    }

    /// Holds every answer for `length` from now on. Call [`Self::pop_answered`] first, for answers that are
    /// already due.
    pub(crate) fn stall(&mut self, now: Duration, length: Duration) {
        self.advance(now);
        self.held_until = self.held_until.max(self.now + length);
    }

    /// Takes the next request whose answer is due.
    pub(crate) fn pop_answered(&mut self, now: Duration) -> Option<T> {
        self.advance(now);
        if self.now < self.held_until {
            return None;
        }
        let (_, waiter) = self.begun.pop_front_if(|(due, _)| *due <= self.now)?;
        self.counts.served += 1;
        Some(waiter)
    }

    /// The moment at which the next answer is due if nothing changes.
    pub(crate) fn next_answer(&self) -> Option<Duration> {
        let due = match (self.begun.front(), self.waiting.front()) {
            (Some((due, _)), _) => *due,
            (None, Some((position, _))) => self.moment(*position)? + self.service_time,
            (None, None) => return None,
        };
        Some(due.max(self.held_until))
    }

    /// The moment until which answers are held.
    pub(crate) fn held_until(&self) -> Duration {
        self.held_until
    }

    /// Capacity in requests per second.
    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    /// Number of requests that wait and have not begun.
    pub(crate) fn length(&self) -> usize {
        self.waiting.len()
    }

    /// Counts since the beginning.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    fn begin(&mut self, began: Duration, waiter: T) {
        self.counts.begun += 1;
        self.begun.push_back((began + self.service_time, waiter));
    }

    /// The moment at which the work reaches a position at the present rate; `None` for never.
    fn moment(&self, position: f64) -> Option<Duration> {
        let ahead = (position - self.work).max(0.0);
        let seconds = Duration::try_from_secs_f64(ahead / self.rate).ok()?;
        self.now.checked_add(seconds)
    }
}

#[cfg(test)]
mod tests;
