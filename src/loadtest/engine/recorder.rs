//! Measurements of one thread. Totals by step are kept until the end; each second is handed on as soon as it
//! is over.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use tokio::sync::mpsc::UnboundedSender;

use super::detail::{Detail, StepId};
use crate::{
    clock::RunClock,
    http::{Exchanged, Failure},
    model::{
        cause,
        latencies::Latencies,
        measured::{Requests, WebSockets},
        traffic::Traffic,
    },
};

/// What a thread hands to the collector.
#[derive(Debug)]
pub(super) enum Message {
    /// A second that is over.
    Slice(Box<Slice>),
    /// The totals, when the thread is done.
    Totals(Box<Totals>),
}

/// Measurements of one thread in one second.
#[derive(Debug, Default)]
pub(super) struct Slice {
    /// The number of the second, counted from the begin of the run.
    pub(super) second: u32,
    /// Latencies of the requests that ended in this second.
    pub(super) latency: Latencies,
    /// Journeys in progress at the end of the second.
    pub(super) concurrency: u64,
    /// WebSocket connections held at the end of the second.
    pub(super) websockets: u64,
    /// WebSocket connections that were made in this second.
    pub(super) connected: u64,
    /// WebSocket connections that were lost in this second, by the second in which they had been made.
    pub(super) lost: BTreeMap<u32, u64>,
    /// Requests of this second by step.
    pub(super) detail: Detail,
}

/// The moments of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// When it was due, as time since the load began; so are all moments here.
    pub(super) intended: Duration,
    /// When it was sent; `None` if never.
    pub(super) sent: Option<Duration>,
    /// When its whole answer had arrived, or when it was given up. To judge the answer is our own work and
    /// comes afterwards.
    pub(super) over: Duration,
}

/// How a WebSocket counted when it was connected, to undo that when it is lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connected {
    latency: Duration,
    /// The second in which it was connected.
    second: u32,
    /// Whether it was connected before the load ended.
    in_time: bool,
}

/// All measurements of one thread.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Totals by step.
    pub(super) steps: Vec<StepTotals>,
    /// How much later than due requests were sent.
    pub(super) schedule_error: Latencies,
    /// Totals of the WebSocket connections.
    pub(super) websockets: WebSockets,
    /// Number of connections opened, the most connections at once, and the number of requests that waited for
    /// a connection.
    pub(super) connections: (u64, u64, u64),
    /// Requests that were due before the load ended and never sent.
    pub(super) unsent: u64,
}

/// Totals of one step in one thread.
#[derive(Debug)]
pub(super) struct StepTotals {
    /// All measurements but the failures.
    pub(super) requests: Requests,
    /// Failures by cause. The key keeps the details of the first one as an example.
    pub(super) failures: BTreeMap<Failure, u64>,
}

impl Times {
    /// Time from the moment at which the request was due.
    fn latency(self) -> Duration {
        self.over.saturating_sub(self.intended)
    }
}

impl StepTotals {
    /// A step of which nothing is measured yet and everything will be.
    fn counting() -> Self {
        Self {
            requests: Requests {
                traffic: Some(Traffic::default()),
                ..Requests::default()
            },
            failures: BTreeMap::new(),
        }
    }

    /// Whether a request that was due at `intended` belongs to the first ones of its step.
    fn is_first(&self, intended: Duration) -> bool {
        /// The first ones are due within this time after the very first.
        const FIRST: Duration = Duration::from_millis(100);
        self.requests
            .first_due
            .is_some_and(|first| intended < first + FIRST)
    }
}

/// The facts of the load that decide how a request counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// Whether requests are due at planned moments (open model).
    pub(super) open: bool,
    /// When the load ends by plan.
    pub(super) end: Duration,
}

/// Measures for one thread.
#[derive(Debug)]
pub(super) struct Recorder {
    clock: RunClock,
    open: bool,
    /// When the load ends: as planned, or when it was stopped.
    end: Cell<Duration>,
    totals: RefCell<Totals>,
    slice: RefCell<Slice>,
    /// Journeys in progress.
    pub(super) concurrency: Cell<u64>,
    /// WebSocket connections held now.
    websockets_held: Cell<u64>,
    messages: UnboundedSender<Message>,
}

impl Recorder {
    /// A recorder for this many steps.
    pub(super) fn new(steps: usize, span: Span, clock: RunClock, messages: UnboundedSender<Message>) -> Self {
        let totals = Totals {
            steps: (0..steps).map(|_| StepTotals::counting()).collect(),
            websockets: WebSockets::counting(),
            ..Totals::default()
        };
        Self {
            clock,
            open: span.open,
            end: Cell::new(span.end),
            totals: RefCell::new(totals),
            slice: RefCell::new(Slice {
                detail: Detail::of(steps),
                ..Slice::default()
            }),
            concurrency: Cell::new(0),
            websockets_held: Cell::new(0),
            messages,
        }
    }

    /// Ends the load now, unless it has ended before.
    pub(super) fn load_is_over(&self) {
        self.end.set(self.end.get().min(self.clock.elapsed()));
    }

    /// Counts a request that is due at `intended` and about to be sent.
    pub(super) fn due(&self, step: StepId, intended: Duration) {
        let mut slice = self.slice.borrow_mut();
        if let Some(detail) = slice.detail.step(step) {
            detail.due += 1;
        }
        if let Some(step) = self.totals.borrow_mut().steps.get_mut(step.0) {
            step.requests.due += 1;
            if self.open {
                step.requests.first_due.get_or_insert(intended);
            }
        }
    }

    /// Counts a request that is over.
    pub(super) fn ended(&self, step: StepId, times: Times, failure: Option<Failure>) {
        let Times { intended, sent, over } = times;
        // The seconds before `over` are closed first, so that the request counts in its own second.
        self.roll(over);
        let latency = times.latency();
        let mut totals = self.totals.borrow_mut();
        let totals = &mut *totals;
        let slice = &mut *self.slice.borrow_mut();
        // A request that was never sent has no latency, and says nothing about the schedule.
        if let Some(sent) = sent {
            totals.schedule_error.record(sent.saturating_sub(intended));
            slice.detail.schedule_error.record(sent.saturating_sub(intended));
            slice.latency.record(latency);
        }
        let (Some(step), Some(detail)) = (totals.steps.get_mut(step.0), slice.detail.step(step)) else {
            return;
        };
        if let Some(sent) = sent {
            step.requests.latency.record(latency);
            step.requests.service_time.record(over.saturating_sub(sent));
        }
        if let Some(failure) = failure {
            if sent.is_some() {
                step.requests.failed_latency.record(latency);
                detail.failed_latency.record(latency);
            }
            cause::count(&mut detail.failures, failure.clone(), 1);
            cause::count(&mut step.failures, failure, 1);
        } else {
            step.requests.answered += 1;
            step.requests.answered_in_time += u64::from(self.is_in_time(over));
            if step.is_first(intended) {
                step.requests.first_latency.record(latency);
            }
            detail.answered += 1;
            detail.latency.record(latency);
        }
    }

    /// Counts a WebSocket that is connected as answered. [`Self::lost`] takes that back.
    pub(super) fn connected(&self, step: StepId, times: Times) -> Connected {
        self.ended(step, times, None);
        self.websockets(|all| all.connected += 1);
        let mut slice = self.slice.borrow_mut();
        slice.connected += 1;
        Connected {
            latency: times.latency(),
            second: slice.second,
            in_time: self.is_in_time(times.over),
        }
    }

    /// Whether an answer of this moment arrived before the load ended.
    fn is_in_time(&self, over: Duration) -> bool {
        over <= self.end.get()
    }

    /// Counts the status and the bytes of an HTTP exchange, whether it succeeded or not.
    pub(super) fn traffic(&self, step: StepId, traffic: &Exchanged) {
        if let Some(step) = self.totals.borrow_mut().steps.get_mut(step.0) {
            let all = step.requests.traffic.get_or_insert_default();
            if let Some(status) = traffic.status {
                *all.statuses.entry(status).or_default() += 1;
            }
            all.sent_bytes += traffic.sent_bytes;
            all.received_bytes += traffic.received_bytes;
        }
    }

    /// Counts a request that is over and was sent twice.
    pub(super) fn retried(&self, step: StepId, times: Times) {
        self.roll(times.over);
        if let Some(detail) = self.slice.borrow_mut().detail.step(step) {
            detail.retried += 1;
        }
        if let Some(step) = self.totals.borrow_mut().steps.get_mut(step.0) {
            step.requests.retried += 1;
        }
    }

    /// A WebSocket that counted as answered is lost: from now on it counts as failed, in the current second.
    pub(super) fn lost(&self, step: StepId, connected: Connected, failure: Failure) {
        self.roll(self.clock.elapsed());
        let mut slice = self.slice.borrow_mut();
        // The collector subtracts it from the answered requests of the second in which it was connected.
        *slice.lost.entry(connected.second).or_default() += 1;
        if let Some(detail) = slice.detail.step(step) {
            cause::count(&mut detail.failures, failure.clone(), 1);
        }
        if let Some(step) = self.totals.borrow_mut().steps.get_mut(step.0) {
            let requests = &mut step.requests;
            requests.answered = requests.answered.saturating_sub(1);
            requests.answered_in_time = requests
                .answered_in_time
                .saturating_sub(u64::from(connected.in_time));
            // `latency` has answered and failed requests, so nothing is moved out of it.
            requests.failed_latency.record(connected.latency);
            cause::count(&mut step.failures, failure, 1);
        }
    }

    /// Counts requests that were due and never sent.
    pub(super) fn unsent(&self, count: u64) {
        self.totals.borrow_mut().unsent += count;
    }

    /// Lets `write` update the totals of the WebSocket connections.
    pub(super) fn websockets(&self, write: impl FnOnce(&mut WebSockets)) {
        write(&mut self.totals.borrow_mut().websockets);
    }

    /// Counts a WebSocket connection as held until the returned guard is dropped.
    pub(super) fn websocket_held(&self) -> Held<'_> {
        let held = self.websockets_held.get() + 1;
        self.websockets_held.set(held);
        self.websockets(|all| all.held_peak = all.held_peak.max(held));
        Held(&self.websockets_held)
    }

    /// Hands on all seconds that are over at `now`.
    pub(super) fn roll(&self, now: Duration) {
        let second = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        // Hands on one message for each second, also for empty ones: the collector counts threads per second.
        while self.slice.borrow().second < second {
            self.hand_on();
        }
    }

    /// Hands on the last second and the totals, when no request is in flight any more.
    pub(super) fn finish(&self, connections: (u64, u64, u64)) {
        self.hand_on();
        let mut totals = self.totals.take();
        totals.connections = connections;
        let _ = self.messages.send(Message::Totals(Box::new(totals)));
    }

    fn hand_on(&self) {
        let next = {
            let slice = self.slice.borrow();
            Slice {
                second: slice.second.saturating_add(1),
                detail: Detail::of(slice.detail.steps.len()),
                ..Slice::default()
            }
        };
        let mut slice = self.slice.replace(next);
        // These two are levels, not counts, so they are read at the end of the second.
        slice.concurrency = self.concurrency.get();
        slice.websockets = self.websockets_held.get();
        // The receiver is gone when the run was given up; then nobody needs the second.
        let _ = self.messages.send(Message::Slice(Box::new(slice)));
    }
}

/// Counts a WebSocket connection as held until it is dropped.
#[derive(Debug)]
pub(super) struct Held<'a>(&'a Cell<u64>);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_websocket_that_was_connected_after_the_load_is_lost_there_and_takes_nothing_from_the_others() {
        let (messages, mut received) = unbounded_channel();
        let span = Span {
            open: true,
            end: 2 * SECOND,
        };
        let recorder = Recorder::new(1, span, RunClock::begins_in(Duration::ZERO), messages);
        let connected = |over| {
            recorder.due(StepId(0), SECOND);
            let sent = Some(SECOND);
            let intended = SECOND;
            recorder.connected(StepId(0), Times { intended, sent, over })
        };
        let [_held, early, late] = [3, 3, 5].map(|halves| connected(halves * SECOND / 2));
        recorder.lost(StepId(0), late, Failure::Status(503));
        let of = |recorder: &Recorder| {
            let step = &recorder.totals.borrow().steps[0].requests;
            (step.answered, step.answered_in_time)
        };
        assert_eq!(of(&recorder), (2, 2));
        recorder.lost(StepId(0), early, Failure::Status(503));
        assert_eq!(of(&recorder), (1, 1));
        recorder.finish((0, 0, 0));
        let mut lost = BTreeMap::new();
        while let Ok(Message::Slice(slice)) = received.try_recv() {
            lost.extend(slice.lost);
        }
        assert_eq!(lost, [(1, 1), (2, 1)].into());
    }
}
