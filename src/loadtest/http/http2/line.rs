//! A queue of requests that wait for a stream.

use std::{cell::RefCell, collections::VecDeque};

use tokio::sync::oneshot;

use super::Stream;
use crate::http::Failure;

/// Waiting requests in the order in which they came. Those that have given up are skipped.
#[derive(Debug, Default)]
pub(super) struct Line(RefCell<VecDeque<Waiter>>);

/// A waiting request.
pub(super) type Waiter = oneshot::Sender<Turn>;

/// What a waiting request is told.
#[derive(Debug)]
pub(super) enum Turn {
    /// It gets this stream.
    Stream(Stream),
    /// It has to try again.
    Retry,
    /// The connection for which it waited could not be opened.
    Failed(Failure),
}

impl Line {
    /// Adds a waiter at the end.
    pub(super) fn join(&self, waiter: Waiter) {
        self.0.borrow_mut().push_back(waiter);
    }

    /// Whether any waiter has not given up.
    pub(super) fn anybody(&self) -> bool {
        let mut waiters = self.0.borrow_mut();
        while waiters.front().is_some_and(Waiter::is_closed) {
            waiters.pop_front();
        }
        !waiters.is_empty()
    }

    /// Removes the first waiter that has not given up.
    pub(super) fn next(&self) -> Option<Waiter> {
        let mut waiters = self.0.borrow_mut();
        while let Some(first) = waiters.pop_front() {
            if !first.is_closed() {
                return Some(first);
            }
        }
        None
    }

    /// Number of waiters, including those that have given up.
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }
}
