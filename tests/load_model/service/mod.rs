//! The service that answers real requests as fast as its Ready pods can.
//!
//! ```text
//! model::line  which request is answered when       http       the port, and a slot of capacity for each request
//! endpoints    what is answered                      websocket  echoes and voice
//! records      what users created
//! ```

mod endpoints;
mod http;
mod records;
mod websocket;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use serde::Serialize;
use tokio::sync::oneshot;
use vas_cluster::clock::{Clock as _, SystemClock};

pub(crate) use self::http::serve;
use crate::{
    Error, Shared,
    arguments::ServiceArguments,
    model::{Capacity, Counts, Line, Refusal},
};

/// The line of requests, and everything that changes its speed.
pub(crate) struct Service {
    state: Mutex<State>,
    /// Signals that the next answer may be due earlier than before.
    changed: Condvar,
    clock: SystemClock,
    model: Shared,
    websockets: AtomicU64,
}

struct State {
    line: Line<oneshot::Sender<()>>,
    capacity: Capacity,
    pods: usize,
}

/// The part of `/state` about the service.
#[derive(Debug, Serialize)]
pub(crate) struct Snapshot {
    ready_pods: usize,
    /// Current capacity in requests per second.
    capacity: f64,
    /// Recent rate of arriving requests, per second.
    requests_per_second: f64,
    arrived: u64,
    served: u64,
    rejected: u64,
    /// Requests that wait, without those in service.
    queue_length: usize,
    /// WebSockets that are open.
    websockets: u64,
}

impl Service {
    /// A service without pods. A thread of its own gives the answers, because timers of the runtime are exact
    /// only to a millisecond.
    pub(crate) fn start(arguments: &ServiceArguments, model: Shared) -> Result<Arc<Self>, Error> {
        let service = Arc::new(Self {
            state: Mutex::new(State {
                line: Line::new(arguments.service_time, arguments.queue_limit),
                capacity: arguments.capacity(),
                pods: 0,
            }),
            changed: Condvar::new(),
            clock: SystemClock::new(),
            model,
            websockets: AtomicU64::new(0),
        });
        let answering = Arc::clone(&service);
        std::thread::Builder::new()
            .name("answers".to_owned())
            .spawn(move || answering.answer())?;
        Ok(service)
    }

    /// Waits until a request that arrives now may be answered. The request keeps its slot if the caller gives
    /// up.
    ///
    /// # Errors
    /// When the request is refused.
    pub(crate) async fn admit(&self) -> Result<(), Refusal> {
        let (waiter, answered) = oneshot::channel();
        let (admitted, held) = {
            let mut state = self.state.lock();
            let was_idle = state.line.next_answer().is_none();
            let now = self.clock.monotonic();
            let admitted = state.line.arrive(now, waiter);
            if was_idle {
                self.changed.notify_one();
            }
            (admitted, state.line.held_until().saturating_sub(now))
        };
        self.model.lock().receive();
        match admitted {
            // The answering thread never ends, so the channel is never closed without an answer.
            Ok(()) => {
                let _ = answered.await;
            }
            Err(_) => tokio::time::sleep(held).await,
        }
        admitted
    }

    /// Follows the Ready pods.
    pub(crate) fn set_pods(&self, pods: usize) {
        if self.state.lock().pods != pods {
            self.change(|state| state.pods = pods);
        }
    }

    /// Changes the capacity of one pod.
    pub(crate) fn set_capacity(&self, requests_per_second: f64) {
        self.change(|state| state.capacity.of_one_pod = requests_per_second);
    }

    /// Holds every answer for `length` from now on.
    pub(crate) fn stall(&self, length: Duration) {
        let mut state = self.state.lock();
        let now = self.clock.monotonic();
        state.give_answers(now);
        state.line.stall(now, length);
        self.changed.notify_one();
    }

    /// Counts since the beginning.
    pub(crate) fn counts(&self) -> Counts {
        let mut state = self.state.lock();
        state.line.advance(self.clock.monotonic());
        state.line.counts()
    }

    /// The current state. The caller knows `requests_per_second`.
    pub(crate) fn snapshot(&self, requests_per_second: f64) -> Snapshot {
        let mut state = self.state.lock();
        state.line.advance(self.clock.monotonic());
        let counts = state.line.counts();
        Snapshot {
            ready_pods: state.pods,
            capacity: state.line.rate(),
            requests_per_second,
            arrived: counts.arrived,
            served: counts.served,
            rejected: counts.refused,
            queue_length: state.line.length(),
            websockets: self.websockets.load(Ordering::Relaxed),
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        change(&mut state);
        let rate = state.capacity.of(state.pods);
        state.line.set_rate(self.clock.monotonic(), rate);
        self.changed.notify_one();
    }

    fn answer(&self) {
        let mut state = self.state.lock();
        loop {
            let now = self.clock.monotonic();
            state.give_answers(now);
            match state.line.next_answer() {
                Some(due) => {
                    self.changed.wait_for(&mut state, due.saturating_sub(now));
                }
                None => self.changed.wait(&mut state),
            }
        }
    }
}

impl State {
    fn give_answers(&mut self, now: Duration) {
        while let Some(waiter) = self.line.pop_answered(now) {
            // The caller may have gone; the request has used its slot all the same.
            let _ = waiter.send(());
        }
    }
}
