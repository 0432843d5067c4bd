//! Polls Prometheus: one task per shape, each with one poll at a time, so that a shape that hangs never
//! delays another. A new shape is polled at once.
//!
//! At each server queries wait for a few places, authors' own queries for others than shared shapes, and namespaces
//! take turns, so that one whose queries are slow waits for itself. A shape that times out again and again is asked
//! less often. A shape whose answer is too large, or that fails for some namespace, is asked in parts, one after the
//! other. What resources ask beyond the limits is not asked at all, and reads are told so.

mod ask;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use self::ask::{PollError, Progress, ask};
use crate::{
    cluster::clock::Clock,
    core::metrics::{
        freshness::Failure,
        promql::{Allotment, Answer, Claim, Shape, ShapeLimits, allot},
    },
    metrics_server::{
        metrics::{pod_index::PodIndex, registry::Registry, store::Store},
        telemetry::Telemetry,
    },
    prometheus::servers::Servers,
};

/// Changes of resources that come this close together are taken in as one.
const SETTLE: Duration = Duration::from_millis(100);
/// Part of the interval by which each poll is moved at random, so that shapes spread out.
const JITTER: f64 = 0.1;
/// Longest time between polls of a shape that times out.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Time between polls of a server that is not configured any more, until its shapes are forgotten.
const NO_SERVER: Duration = Duration::from_secs(5);

/// A namespace that begins to need a shape waits no longer than this for its next poll.
const NEWLY_NEEDED: Duration = Duration::from_secs(1);

/// What polling needs.
pub struct Poller {
    /// The Prometheus servers.
    pub servers: Arc<Servers>,
    /// Which metrics are wanted.
    pub registry: Arc<Registry>,
    /// Where outcomes go.
    pub store: Arc<Store>,
    /// The live pods: whoever exports a gauge is missed while its pod is one of them.
    pub pods: Arc<PodIndex>,
    /// How many shapes are polled at most.
    pub limits: ShapeLimits,
    /// Counts polls.
    pub telemetry: Arc<Telemetry>,
    /// Dates answers.
    pub clock: Arc<dyn Clock>,
}

/// A shape that is polled.
struct Running {
    task: AbortHandle,
    /// The namespaces whose resources need it.
    needed: watch::Sender<Needed>,
}

type Needed = Arc<BTreeSet<String>>;

impl Poller {
    /// Polls what the registry wants until `stop`; `registry_changed` wakes it.
    pub async fn run(self, mut registry_changed: watch::Receiver<bool>, stop: CancellationToken) {
        let poller = Arc::new(self);
        let mut tasks = JoinSet::new();
        let mut running: BTreeMap<Arc<Shape>, Running> = BTreeMap::new();
        loop {
            let Allotment { plan, refused } = poller.allotment();
            poller
                .telemetry
                .refused(refused.values().map(BTreeMap::len).sum());
            poller.store.refuse(refused);
            // A task never ends by itself: one that ended panicked, and is started again.
            running.retain(|shape, running| {
                let keep = plan.contains_key(shape) && !running.task.is_finished();
                if !keep {
                    running.task.abort();
                }
                keep
            });
            for (shape, namespaces) in plan {
                let namespaces = Arc::new(namespaces);
                if let Some(running) = running.get(&shape) {
                    running.needed.send_if_modified(|needed| {
                        let differ = *needed != namespaces;
                        *needed = namespaces;
                        differ
                    });
                    continue;
                }
                let (needed, changes) = watch::channel(namespaces);
                let task = tasks.spawn(poller.clone().poll_for_ever(shape.clone(), changes));
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

    fn allotment(&self) -> Allotment {
        let entries = self.registry.entries();
        let claims = entries.iter().flat_map(|(key, entry)| {
            entry.metrics.iter().filter_map(|metric| {
                Some(Claim {
                    created: entry.created,
                    namespace: &key.namespace,
                    name: &key.name,
                    workload: &metric.workload,
                    metric: &metric.name,
                    shape: metric.shape.as_ref().ok()?,
                })
            })
        });
        allot(claims, self.limits)
    }

    async fn poll_for_ever(self: Arc<Self>, shape: Arc<Shape>, mut changes: watch::Receiver<Needed>) {
        let (mut timeouts, mut progress) = (0, Progress::default());
        loop {
            let started = self.clock.monotonic();
            let needed = changes.borrow_and_update().clone();
            let server = self.servers.get(&shape.server);
            if let Some(server) = &server {
                let others = || self.store.answers_others(&shape);
                let known = self.store.get(&shape).unwrap_or_default();
                let outcome = ask(
                    server,
                    &shape,
                    &mut progress,
                    &needed,
                    &known,
                    others,
                    &*self.clock,
                )
                .await;
                let taken = self.clock.monotonic().saturating_sub(started);
                self.telemetry.polled(outcome.is_ok(), taken, self.clock.now());
                timeouts = match &outcome {
                    Err(PollError { timed_out: true, .. }) => timeouts + 1,
                    _ => 0,
                };
                self.record(&shape, outcome.map_err(|error| error.failure));
            }
            let interval = server.map_or(NO_SERVER, |server| server.poll_interval());
            let jitter = 1.0 + JITTER * (2.0 * crate::cluster::random::fraction() - 1.0);
            let taken = self.clock.monotonic().saturating_sub(started);
            let wait = between_polls(interval, timeouts).mul_f64(jitter);
            tokio::select! {
                () = tokio::time::sleep(wait.saturating_sub(taken)) => {}
                () = newly_needed(&mut changes, &needed, taken), if timeouts == 0 => {}
            }
        }
    }

    fn record(&self, shape: &Arc<Shape>, outcome: Result<Answer, Failure>) {
        let failure = outcome.as_ref().err().cloned();
        let changed = self.store.record(shape, outcome, &self.pods);
        match failure {
            Some(failure) if changed => tracing::warn!(query = shape.value, %failure, "polling fails"),
            None if changed => tracing::info!(query = shape.value, "polling works again"),
            Some(_) | None => {}
        }
    }
}

/// Ends when a namespace needs the shape that did not, but not before the latest poll, which began `taken` ago, is
/// [`NEWLY_NEEDED`] old.
async fn newly_needed(changes: &mut watch::Receiver<Needed>, before: &BTreeSet<String>, taken: Duration) {
    let soonest = tokio::time::sleep(NEWLY_NEEDED.saturating_sub(taken));
    // The sender goes only after the task.
    let _ = changes.wait_for(|needed| !needed.is_subset(before)).await;
    soonest.await;
}

/// The time between polls of a shape that timed out so often in a row: doubling from the second time on.
fn between_polls(interval: Duration, timeouts: u32) -> Duration {
    let doublings = timeouts.saturating_sub(1).min(16);
    let slower = interval.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    slower.max(interval)
}

#[cfg(test)]
mod tests;
