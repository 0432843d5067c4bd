//! What the journeys of one thread use: its share of the run, its connections and its measurements.

use std::{rc::Rc, sync::Arc, time::Duration};

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::{
    inputs::Counters,
    plan::Plan,
    recorder::{Message, Recorder, Span},
    turns::Turns,
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
    /// The turns that users may take; `None`: as many as time allows.
    pub(super) turns: Option<Arc<Turns>>,
    /// Counters that all users of the run share.
    pub(super) counters: Arc<Counters>,
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
