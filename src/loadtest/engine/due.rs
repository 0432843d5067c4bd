//! A request from the moment it is due until it counts.
//!
//! Invariant: what was due counts exactly once, as answered or as failed. Who asks may be dropped in the middle, because
//! the test is over: then the request has failed.

use std::time::Duration;

use super::{
    recorder::{Connected, StepId, Times},
    worker::Worker,
};
use crate::loadtest::http::Failure;

/// A request that is due and does not count yet. It counts as failed when it is dropped.
#[derive(Debug)]
pub(super) struct Due<'a> {
    worker: &'a Worker,
    step: StepId,
    intended: Duration,
    counts: bool,
}

impl<'a> Due<'a> {
    /// The request of a step that is due at `intended`, and about to be sent.
    pub(super) fn new(worker: &'a Worker, step: StepId, intended: Duration) -> Self {
        worker.recorder.due(step, intended);
        Self {
            worker,
            step,
            intended,
            counts: false,
        }
    }

    /// The step.
    pub(super) fn step(&self) -> StepId {
        self.step
    }

    /// Its moments, if it is over now and was sent at `sent`, if ever.
    pub(super) fn times(&self, sent: Option<Duration>) -> Times {
        Times {
            intended: self.intended,
            sent,
            over: self.worker.share.clock.elapsed(),
        }
    }

    /// It is over.
    pub(super) fn ended(mut self, times: Times, failure: Option<Failure>) {
        self.counts = true;
        self.worker.recorder.ended(self.step, times, failure);
    }

    /// It asked for a WebSocket, which is connected.
    pub(super) fn connected(mut self, times: Times) -> Connected {
        self.counts = true;
        self.worker.recorder.connected(self.step, times)
    }
}

impl Drop for Due<'_> {
    fn drop(&mut self) {
        if !self.counts {
            let failure = Failure::Timeout(self.worker.timeout);
            // Whether it was sent is known to who was dropped with it.
            let times = self.times(None);
            self.worker.recorder.ended(self.step, times, Some(failure));
        }
    }
}
