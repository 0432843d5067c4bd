//! What the journeys of one thread use: its share of the run, its connections and its measurements.

use std::{rc::Rc, sync::Arc, time::Duration};

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::{
    inputs::Counters,
    plan::Plan,
    recorder::{Message, Recorder, Span},
    sharing::PerUser,
    turns::Turns,
};
use crate::{
    clock::RunClock,
    http::{Follower, Limits, Own, Pool, Target},
    scenario::{model::Scenario, part::Part},
};

/// What one thread gets of the run.
#[derive(Clone, Debug)]
pub(super) struct Share {
    /// Number of the thread, from zero.
    pub(super) index: u32,
    /// Number of threads.
    pub(super) threads: u32,
    /// The part of the load that all threads of this process share.
    pub(super) part: Part,
    /// The greatest number of connections of this thread.
    pub(super) connections: u64,
    /// Which users have a connection of their own.
    pub(super) per_user: PerUser,
    /// Whether the thread spins before each due moment, see [`super::Settings::precise`].
    pub(super) precise: bool,
    /// Time axis of the run.
    pub(super) clock: RunClock,
    /// The turns that the users of each load may take; `None`: as many as time allows.
    pub(super) turns: Vec<Option<Arc<Turns>>>,
    /// Counters that all users of the run share.
    pub(super) counters: Arc<Counters>,
    /// Cancelled when the load is to end early; nothing new begins then.
    pub(super) end_early: CancellationToken,
    /// Channel to the collector.
    pub(super) messages: UnboundedSender<Message>,
}

impl Share {
    /// The first of the users and journeys that this thread begins, and the distance to its next one.
    pub(super) fn numbers(&self) -> (u64, u64) {
        self.part.of_thread(self.index, self.threads)
    }
}

/// A host, with the connections to it.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) pool: Pool,
    /// The host over HTTP/1.1: a WebSocket begins as an HTTP/1.1 request, whatever protocol other requests use.
    pub(super) upgrades: Target,
}

/// Everything that the journeys of one thread use.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) share: Share,
    pub(super) plan: Plan,
    /// The connections to the target.
    pub(super) target: Reached,
    /// The connections to the other hosts of the scenario, in their order.
    others: Vec<Reached>,
    pub(super) follower: Follower,
    pub(super) recorder: Recorder,
    /// Longest wait for one answer.
    pub(super) timeout: Duration,
    /// Cancelled when the load is over; each user stops before its next step.
    pub(super) stop: CancellationToken,
}

impl Worker {
    /// A worker that has sent nothing yet.
    pub(super) fn new(share: Share, scenario: &Scenario, target: &Target, plan: Plan) -> Self {
        let limits = Limits {
            connections: usize::try_from(share.connections).unwrap_or(usize::MAX).max(1),
            patience: scenario.timeout,
            thread: usize::try_from(share.index).unwrap_or(0),
        };
        let span = Span {
            open: scenario.load.users().is_none(),
            end: scenario.load.profile().duration(),
        };
        let reached = |pool: Pool| Reached {
            upgrades: pool.target().over_http1(),
            pool,
        };
        let target = reached(Pool::new(Rc::new(target.clone()), limits));
        let others = plan.targets.iter().skip(1);
        let others = others.map(|other| reached(target.pool.beside(other.clone())));
        Self {
            recorder: Recorder::new(plan.step_names().len(), span, share.clock, share.messages.clone()),
            others: others.collect(),
            target,
            follower: Follower::default(),
            timeout: scenario.timeout,
            stop: CancellationToken::new(),
            plan,
            share,
        }
    }

    /// Hands on the totals, when no user is in progress any more.
    pub(super) fn finish(&self) {
        let usage = self.target.pool.usage();
        self.recorder
            .finish((usage.opened_so_far(), usage.peak(), usage.waited()));
    }

    /// A host by its number, see [`Plan::targets`].
    pub(super) fn host(&self, number: usize) -> &Reached {
        let other = number.checked_sub(1).and_then(|number| self.others.get(number));
        other.unwrap_or(&self.target)
    }

    /// Connections for one user of a load of this model, where each user has its own: for each host, one for each
    /// request that it sends at once.
    pub(super) fn own_connections(&self, is_open: bool, at_once: usize) -> Vec<Own> {
        let PerUser { open, closed } = self.share.per_user;
        let own = if is_open { open } else { closed };
        let count = if own { at_once * (self.others.len() + 1) } else { 0 };
        std::iter::repeat_with(Own::default).take(count).collect()
    }
}
