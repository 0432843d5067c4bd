//! Counts one connection exactly once: as held, or as failed with a cause. Its task may be dropped in the
//! middle because the run is over; then the connection counts as failed.

use std::time::Duration;

use super::failures;
use crate::{
    engine::{
        detail::StepId,
        due::Due,
        recorder::{Connected, Held, Times},
        worker::Worker,
    },
    http::Failure,
    model::cause,
};

/// A connection that is being made or held. It counts as failed when it is dropped.
#[derive(Debug)]
pub(super) struct Session<'a> {
    worker: &'a Worker,
    step: StepId,
    state: State<'a>,
}

#[derive(Debug)]
enum State<'a> {
    /// The connection is being made.
    Connecting(Due<'a>),
    /// The connection is held, and counts as answered so far.
    Held(Connected, Held<'a>),
    /// The connection is counted for good.
    Over,
}

impl<'a> Session<'a> {
    /// A connection that is about to be made.
    pub(super) fn new(worker: &'a Worker, due: Due<'a>) -> Self {
        Self {
            worker,
            step: due.step(),
            state: State::Connecting(due),
        }
    }

    /// The connection is made; connecting began at `sent`.
    pub(super) fn connected(&mut self, sent: Option<Duration>) {
        if let State::Connecting(due) = self.leave() {
            let times = due.times(sent);
            self.connect_took(times);
            let connected = due.connected(times);
            self.state = State::Held(connected, self.worker.recorder.websocket_held());
        }
    }

    /// The connection could not be made. Connecting began at `sent`, or never.
    pub(super) fn refused(mut self, sent: Option<Duration>, failure: Failure) {
        self.fail(sent, failure);
    }

    /// The connection has done all that the scenario wants, or has failed.
    pub(super) fn over(mut self, failure: Option<&Failure>) {
        if let Some(failure) = failure {
            self.fail(None, failure.clone());
        } else {
            self.leave();
            let recorder = &self.worker.recorder;
            recorder.websockets(|all| *all.held.get_or_insert_default() += 1);
        }
    }

    fn fail(&mut self, sent: Option<Duration>, failure: Failure) {
        let recorder = &self.worker.recorder;
        let words = failure.to_string();
        match self.leave() {
            State::Connecting(due) => {
                let times = due.times(sent);
                // A timeout belongs in the connect times, or the slowest ones would be missing. A refusal
                // says nothing about slowness.
                if matches!(failure, Failure::Timeout(_)) {
                    self.connect_took(times);
                }
                due.ended(times, Some(failure));
            }
            State::Held(connected, held) => {
                drop(held);
                recorder.lost(self.step, connected, failure);
            }
            State::Over => return,
        }
        recorder.websockets(|all| cause::count(&mut all.failures, words, 1));
    }

    fn connect_took(&self, times: Times) {
        if let Some(sent) = times.sent {
            let took = times.over.saturating_sub(sent);
            self.worker.recorder.websockets(|all| all.connect.record(took));
        }
    }

    /// Takes the state out to count it. What is left is [`State::Over`].
    fn leave(&mut self) -> State<'a> {
        std::mem::replace(&mut self.state, State::Over)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let failure = match self.state {
            State::Connecting(_) => Failure::Timeout(self.worker.timeout),
            State::Held(..) => failures::unended(),
            State::Over => return,
        };
        self.fail(None, failure);
    }
}
