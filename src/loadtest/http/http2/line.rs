//! A line of requests that wait for a stream.

use std::{cell::RefCell, collections::VecDeque};

use tokio::sync::oneshot;

use super::Stream;
use crate::loadtest::http::Failure;

/// Who waits, in the order in which they came. Those who have given up are passed over.
#[derive(Debug, Default)]
pub(super) struct Line(RefCell<VecDeque<Waiter>>);

/// Somebody who waits.
pub(super) type Waiter = oneshot::Sender<Turn>;

/// What a request that waits is told.
#[derive(Debug)]
pub(super) enum Turn {
    /// Here is a stream.
    Stream(Stream),
    /// Look again.
    Look,
    /// The connection could not be opened.
    Failed(Failure),
}

impl Line {
    /// Puts somebody behind the others.
    pub(super) fn join(&self, waiter: Waiter) {
        self.0.borrow_mut().push_back(waiter);
    }

    /// Whether anybody waits who has not given up.
    pub(super) fn anybody(&self) -> bool {
        let mut waiters = self.0.borrow_mut();
        while waiters.front().is_some_and(Waiter::is_closed) {
            waiters.pop_front();
        }
        !waiters.is_empty()
    }

    /// The first who has not given up.
    pub(super) fn next(&self) -> Option<Waiter> {
        let mut waiters = self.0.borrow_mut();
        while let Some(first) = waiters.pop_front() {
            if !first.is_closed() {
                return Some(first);
            }
        }
        None
    }

    /// How many wait, those who have given up included.
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }
}
