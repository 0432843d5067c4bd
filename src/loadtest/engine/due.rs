//! A request from the moment it is due until it counts.
//!
//! Invariant: a request that was due counts exactly once, as answered or as failed. Its task may be dropped
//! in the middle, because the run is over; then the request counts as failed.

use std::time::Duration;

use super::{
    detail::StepId,
    recorder::{Connected, Times},
    worker::Worker,
};
use crate::http::Failure;

/// A request that is due and does not count yet. It counts as failed when it is dropped.
#[derive(Debug)]
pub(super) struct Due<'a> {
    worker: &'a Worker,
    step: StepId,
    intended: Duration,
    counts: bool,
}

impl<'a> Due<'a> {
    /// The request of `step` that is due at `intended` and about to be sent.
    pub(super) fn new(worker: &'a Worker, step: StepId, intended: Duration) -> Self {
        worker.recorder.due(step, intended);
        Self {
            worker,
            step,
            intended,
            counts: false,
        }
    }

    /// The step to which the request belongs.
    pub(super) fn step(&self) -> StepId {
        self.step
    }

    /// The moments of the request, if it is over now. `sent` is `None` if it was never sent.
    pub(super) fn times(&self, sent: Option<Duration>) -> Times {
        Times {
            intended: self.intended,
            sent,
            over: self.worker.share.clock.elapsed(),
        }
    }

    /// Counts the request as over: failed with `failure`, or answered.
    pub(super) fn ended(mut self, times: Times, failure: Option<Failure>) {
        self.counts = true;
        self.worker.recorder.ended(self.step, times, failure);
    }

    /// Counts the request, which asked for a WebSocket, as connected.
    pub(super) fn connected(mut self, times: Times) -> Connected {
        self.counts = true;
        self.worker.recorder.connected(self.step, times)
    }
}

impl Drop for Due<'_> {
    fn drop(&mut self) {
        if !self.counts {
            let failure = Failure::Timeout(self.worker.timeout);
            // The task that knew whether the request was sent is dropped too: `None` claims nothing.
            let times = self.times(None);
            self.worker.recorder.ended(self.step, times, Some(failure));
        }
    }
}
