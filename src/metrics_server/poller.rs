//! Polls Prometheus: one task per shape, each with one poll at a time, so that a shape that hangs never
//! delays another. A new shape is polled at once.
//!
//! Authors' own queries wait for places of their own: slow ones delay each other, not the shared shapes; and no
//! server's shapes wait for another's. A shape that times out again and again is asked less often, so that many of
//! them do not hold all places. A shape whose answer is too large is asked in parts, one after the other.

mod ask;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use self::ask::{PollError, ask};
use super::{registry::Registry, servers::Servers, store::Store, telemetry::Telemetry};
use crate::{
    clock::Clock,
    core::{
        promql::{self, Answer, Plan, Shape, Split},
        reading::Failure,
    },
};

/// Changes of resources that come this close together are taken in as one.
const SETTLE: Duration = Duration::from_millis(100);
/// Part of the interval by which each poll is moved at random, so that shapes spread out.
const JITTER: f64 = 0.1;
/// Longest time between polls of a shape that times out.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Time between polls of a server that is not configured any more, until its shapes are forgotten.
const NO_SERVER: Duration = Duration::from_secs(5);

/// What polling needs.
pub struct Poller {
    /// The Prometheus servers.
    pub servers: Arc<Servers>,
    /// Which metrics are wanted.
    pub registry: Arc<Registry>,
    /// Where outcomes go.
    pub store: Arc<Store>,
    /// Counts polls.
    pub telemetry: Arc<Telemetry>,
    /// Dates answers.
    pub clock: Arc<dyn Clock>,
}

/// A shape that is polled.
struct Running {
    task: AbortHandle,
    /// The namespaces whose resources need it.
    needed: Arc<ArcSwap<BTreeSet<String>>>,
}

impl Poller {
    /// Polls what the registry wants until `stop`; `registry_changed` wakes it.
    pub async fn run(self, mut registry_changed: watch::Receiver<bool>, stop: CancellationToken) {
        let poller = Arc::new(self);
        let mut tasks = JoinSet::new();
        let mut running: BTreeMap<Arc<Shape>, Running> = BTreeMap::new();
        loop {
            let plan = poller.plan();
            // A task never ends by itself: one that ended panicked, and is started again.
            running.retain(|shape, running| {
                let keep = plan.contains_key(shape) && !running.task.is_finished();
                if !keep {
                    running.task.abort();
                }
                keep
            });
            for (shape, namespaces) in plan {
                if let Some(running) = running.get(&shape) {
                    running.needed.store(Arc::new(namespaces));
                    continue;
                }
                let needed = Arc::new(ArcSwap::from_pointee(namespaces));
                let task = tasks.spawn(poller.clone().poll_for_ever(shape.clone(), needed.clone()));
                running.insert(shape, Running { task, needed });
            }
            poller.store.retain(|shape| running.contains_key(shape));
            poller.telemetry.shapes(running.len());
            tokio::select! {
                () = stop.cancelled() => return,
                changed = registry_changed.changed() => if changed.is_err() { return },
                Some(ended) = tasks.join_next() => {
                    if let Err(error) = ended && error.is_panic() {
                        tracing::error!(%error, "a poll panicked; it is started again");
                    }
                }
            }
            tokio::time::sleep(SETTLE).await;
        }
    }

    fn plan(&self) -> Plan {
        let entries = self.registry.entries();
        promql::plan(entries.iter().flat_map(|(key, entry)| {
            let shapes = entry
                .metrics
                .iter()
                .filter_map(|metric| metric.shape.as_ref().ok());
            shapes.map(|shape| (key.namespace.as_str(), shape))
        }))
    }

    async fn poll_for_ever(self: Arc<Self>, shape: Arc<Shape>, needed: Arc<ArcSwap<BTreeSet<String>>>) {
        let (mut timeouts, mut split) = (0, Split::default());
        loop {
            let started = self.clock.monotonic();
            let server = self.servers.get(&shape.server);
            if let Some(server) = &server {
                let poll = ask(&server.client, &shape, &mut split, &needed, &*self.clock);
                let outcome = server.in_turn(shape.grouping, poll).await;
                let taken = self.clock.monotonic().saturating_sub(started);
                self.telemetry.polled(outcome.is_ok(), taken, self.clock.now());
                timeouts = match &outcome {
                    Err(PollError { timed_out: true, .. }) => timeouts + 1,
                    _ => 0,
                };
                self.record(&shape, outcome.map_err(|error| error.failure));
            }
            let interval = server.map_or(NO_SERVER, |server| server.poll_interval());
            let jitter = 1.0 + JITTER * (2.0 * crate::random::fraction() - 1.0);
            let taken = self.clock.monotonic().saturating_sub(started);
            let wait = between_polls(interval, timeouts).mul_f64(jitter);
            tokio::time::sleep(wait.saturating_sub(taken)).await;
        }
    }

    fn record(&self, shape: &Arc<Shape>, outcome: Result<Answer, Failure>) {
        let failure = outcome.as_ref().err().cloned();
        let changed = self.store.record(shape, outcome);
        match failure {
            Some(failure) if changed => tracing::warn!(query = shape.value, %failure, "polling fails"),
            None if changed => tracing::info!(query = shape.value, "polling works again"),
            Some(_) | None => {}
        }
    }
}

/// The time between polls of a shape that timed out so often in a row: doubling from the second time on.
fn between_polls(interval: Duration, timeouts: u32) -> Duration {
    let doublings = timeouts.saturating_sub(1).min(16);
    let slower = interval.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    slower.max(interval)
}

#[cfg(test)]
mod tests;
