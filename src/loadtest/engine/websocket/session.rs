//! What becomes of one connection: it counts exactly once, as held or as failed with a cause. Who holds it may be dropped
//! in the middle, because the test is over: then it has failed.

use std::time::Duration;

use super::failures;
use crate::loadtest::{
    engine::{
        due::Due,
        recorder::{Connected, Held, StepId, Times},
        worker::Worker,
    },
    http::Failure,
    model::cause,
};

/// One connection that is asked for or held. It counts as failed when it is dropped.
#[derive(Debug)]
pub(super) struct Session<'a> {
    worker: &'a Worker,
    step: StepId,
    state: State<'a>,
}

#[derive(Debug)]
enum State<'a> {
    /// It is not there yet.
    Asked(Due<'a>),
    /// It is there, and counts as answered so far.
    Held(Connected, Held<'a>),
    /// It counts.
    Over,
}

impl<'a> Session<'a> {
    /// A connection that is asked for.
    pub(super) fn new(worker: &'a Worker, due: Due<'a>) -> Self {
        Self {
            worker,
            step: due.step(),
            state: State::Asked(due),
        }
    }

    /// It is connected; connecting began at `sent`.
    pub(super) fn connected(&mut self, sent: Option<Duration>) {
        if let State::Asked(due) = self.leave() {
            let times = due.times(sent);
            self.connect_took(times);
            let connected = due.connected(times);
            self.state = State::Held(connected, self.worker.recorder.websocket_held());
        }
    }

    /// It could not be made; connecting began at `sent`, if ever.
    pub(super) fn refused(mut self, sent: Option<Duration>, failure: Failure) {
        self.fail(sent, failure);
    }

    /// It has done all that it should, or has failed.
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
            State::Asked(due) => {
                let times = due.times(sent);
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

    /// Leaves its state, to count.
    fn leave(&mut self) -> State<'a> {
        std::mem::replace(&mut self.state, State::Over)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let failure = match self.state {
            State::Asked(_) => Failure::Timeout(self.worker.timeout),
            State::Held(..) => failures::unended(),
            State::Over => return,
        };
        self.fail(None, failure);
    }
}
