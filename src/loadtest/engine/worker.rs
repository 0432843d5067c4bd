//! One sending thread: its runtime, connections and measurements.

use std::{io, rc::Rc, sync::Arc, time::Duration};

use tokio::{sync::mpsc::UnboundedSender, task::LocalSet};
use tokio_util::sync::CancellationToken;

use super::{
    alarm::Alarm,
    closed, open, patience,
    plan::Plan,
    recorder::{Message, Recorder, Span},
};
use crate::{
    clock::RunClock,
    http::{Follower, Limits, Own, Pool, Target},
    scenario::model::{Load, Scenario},
};

/// What one thread gets of the run.
#[derive(Clone, Debug)]
pub(super) struct Share {
    /// Number of the thread, from zero.
    pub(super) index: u32,
    /// Number of threads.
    pub(super) threads: u32,
    /// The greatest number of connections of this thread.
    pub(super) connections: u64,
    /// Whether each user has a connection of its own.
    pub(super) per_user: bool,
    /// Whether the thread spins before each due moment, see [`super::Settings::precise`].
    pub(super) precise: bool,
    /// Time axis of the run.
    pub(super) clock: RunClock,
    /// Cancelled when the load is to end early; nothing new begins then.
    pub(super) end_early: CancellationToken,
    /// Channel to the collector.
    pub(super) messages: UnboundedSender<Message>,
}

/// Everything that the journeys of one thread use.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) share: Share,
    pub(super) plan: Plan,
    pub(super) pool: Pool,
    /// The target over HTTP/1.1: a WebSocket begins as an HTTP/1.1 request, whatever protocol other requests
    /// use.
    pub(super) upgrades: Target,
    pub(super) follower: Follower,
    pub(super) recorder: Recorder,
    /// Longest wait for one answer.
    pub(super) timeout: Duration,
    /// Whether journeys begin at planned moments (open model), instead of again and again (closed model).
    open: bool,
    /// Cancelled when the load is over; each user stops before its next step.
    pub(super) stop: CancellationToken,
}

impl Worker {
    /// A worker that has sent nothing yet.
    pub(super) fn new(share: Share, scenario: &Scenario, target: Target, plan: Plan) -> Self {
        let limits = Limits {
            connections: usize::try_from(share.connections).unwrap_or(usize::MAX).max(1),
            patience: scenario.timeout,
            thread: usize::try_from(share.index).unwrap_or(0),
        };
        let span = Span {
            open: matches!(scenario.load, Load::Open(_)),
            end: scenario.load.profile().duration(),
        };
        Self {
            recorder: Recorder::new(plan.step_names().len(), span, share.clock, share.messages.clone()),
            upgrades: target.over_http1(),
            pool: Pool::new(Rc::new(target), limits),
            follower: Follower::default(),
            timeout: scenario.timeout,
            open: span.open,
            stop: CancellationToken::new(),
            plan,
            share,
        }
    }

    /// Hands on the totals, when no user is in progress any more.
    pub(super) fn finish(&self) {
        let usage = self.pool.usage();
        self.recorder
            .finish((usage.opened_so_far(), usage.peak(), usage.waited()));
    }

    /// Whether the load follows the open model.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// A connection for one user, where each user has its own.
    pub(super) fn own_connection(&self) -> Option<Own> {
        self.share.per_user.then(Own::default)
    }
}

/// Starts a thread that sends its share of the scenario.
pub(super) fn spawn(share: Share, scenario: Arc<Scenario>, target: Target) -> io::Result<()> {
    std::thread::Builder::new()
        .name(format!("load-{}", share.index))
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                // The runtime looks at sockets after this many tasks: answers must not wait behind requests.
                .event_interval(13)
                .build();
            // Where these fail no totals are sent, and the collector knows by that that a thread was lost.
            if let (Ok(runtime), Ok(plan)) = (runtime, Plan::new(&scenario, &target)) {
                let users = LocalSet::new();
                let ran = users.block_on(&runtime, run(share, scenario, target, plan));
                // Dropping a user that is still in progress counts its request as failed. The totals must
                // come after that.
                drop(users);
                if let Some(worker) = ran {
                    worker.finish();
                }
            }
        })
        .map(drop)
}

/// Sends the load and waits for requests in flight. `None` where the runtime cannot wait for moments.
async fn run(share: Share, scenario: Arc<Scenario>, target: Target, plan: Plan) -> Option<Rc<Worker>> {
    let worker = Rc::new(Worker::new(share, &scenario, target, plan));
    let alarm = Alarm::new(worker.share.clock, worker.share.precise).ok()?;
    let ticks = tokio::task::spawn_local(roll(worker.clone()));
    match &scenario.load {
        Load::Open(profile) => open::run(&worker, profile, &alarm).await,
        Load::Closed(profile) => closed::run(&worker, profile, &alarm).await,
    }
    // The order matters: answers from here on do not count in the rate, then users stop before their next
    // step, and then the requests in flight are awaited.
    worker.recorder.load_is_over();
    worker.stop.cancel();
    drain(&worker, patience(&scenario)).await;
    ticks.abort();
    Some(worker)
}

/// Closes seconds when they are over, even while no answer comes.
async fn roll(worker: Rc<Worker>) {
    let Ok(alarm) = Alarm::new(worker.share.clock, false) else {
        return;
    };
    loop {
        let next = Duration::from_secs(worker.share.clock.elapsed().as_secs() + 1);
        if alarm.until(next).await.is_err() {
            return;
        }
        worker.recorder.roll(worker.share.clock.elapsed());
    }
}

/// Waits for requests in flight; each of them has its own time limit.
async fn drain(worker: &Worker, patience: Duration) {
    const LOOK: Duration = Duration::from_millis(10);
    let until = worker.share.clock.elapsed() + patience;
    while worker.recorder.concurrency.get() > 0 && worker.share.clock.elapsed() < until {
        tokio::time::sleep(LOOK).await;
    }
}
