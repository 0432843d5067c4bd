//! Polls Prometheus. Each shape (a distinct query) has a task of its own, which runs one poll at a time, so
//! that a shape that hangs never delays another. A new shape is polled at once.
//!
//! At each server, queries wait for a small number of places, and namespaces take turns, so that a namespace
//! with slow queries waits for itself. Queries that authors wrote themselves have other places than shared
//! shapes. A shape that times out again and again is polled less often. A shape whose answer is too large, or
//! that fails for one namespace, is polled in parts, one after the other. Queries beyond the limits are not
//! sent at all, and reads of their metrics get an error that says so.

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

pub(crate) use self::ask::UNSUITABLE;
use self::ask::{PollError, Progress, ask};
use crate::{
    metrics::{pod_index::PodIndex, registry::Registry, store::Store},
    telemetry::Telemetry,
};
use vas_cluster::clock::Clock;
use vas_core::metrics::{
    freshness::Failure,
    promql::{Allotment, Answer, Claim, Shape, ShapeLimits, allot},
};
use vas_prometheus::servers::Servers;

/// Changes of resources within this time are handled together.
const SETTLE: Duration = Duration::from_millis(100);
/// Each poll moves at random by up to this part of the interval, earlier or later, so that shapes spread out.
const JITTER: f64 = 0.1;
/// Longest time between two polls of a shape that times out, unless the interval is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Time between two polls at a server that is not configured any more, until its shapes are removed.
const NO_SERVER: Duration = Duration::from_secs(5);

/// A namespace that begins to need a shape waits for its next poll at most this long.
const NEWLY_NEEDED: Duration = Duration::from_secs(1);

/// The inputs of polling.
pub(crate) struct Poller {
    /// The Prometheus servers.
    pub servers: Arc<Servers>,
    /// The metrics that resources declare.
    pub registry: Arc<Registry>,
    /// Where the outcomes of polls are stored.
    pub store: Arc<Store>,
    /// The live pods. A series that vanishes while its pod is live is missing data.
    pub pods: Arc<PodIndex>,
    /// Upper limits for the number of shapes.
    pub limits: ShapeLimits,
    /// Counts and times polls.
    pub telemetry: Arc<Telemetry>,
    /// Gives the time of answers.
    pub clock: Arc<dyn Clock>,
}

/// A shape that is polled by a task.
struct Running {
    task: AbortHandle,
    /// The namespaces whose resources need the shape.
    needed: watch::Sender<Needed>,
}

type Needed = Arc<BTreeSet<String>>;

impl Poller {
    /// Polls the shapes of the registry until `stop` is cancelled. `registry_changed` is notified when the
    /// registry changes.
    pub(crate) async fn run(self, mut registry_changed: watch::Receiver<bool>, stop: CancellationToken) {
        let poller = Arc::new(self);
        let mut tasks = JoinSet::new();
        let mut running: BTreeMap<Arc<Shape>, Running> = BTreeMap::new();
        loop {
            let Allotment { plan, refused } = poller.allotment();
            poller
                .telemetry
                .refused(refused.values().map(BTreeMap::len).sum());
            poller.store.refuse(refused);
            // A task never ends by itself. One that ended has panicked, so it is started again.
            running.retain(|shape, running| {
                let keep = plan.contains_key(shape) && !running.task.is_finished();
                if !keep {
                    running.task.abort();
                }
                keep
            });
            // A shape that is polled already only learns which namespaces need it; its task and its state go
            // on. Any other shape gets a task.
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
            // After `kubectl apply` of a hundred resources the shapes are allotted once, not a hundred times.
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
                // Whether the server answers other shapes: only then can a namespace's own series be the
                // cause of a failure.
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
                let failure = outcome.as_ref().err().map(|error| error.reason);
                self.telemetry
                    .polled(&shape.server, failure, taken, self.clock.now());
                timeouts = match &outcome {
                    Err(PollError { timed_out: true, .. }) => timeouts + 1,
                    _ => 0,
                };
                let outcome = outcome.map_err(|error| error.failure);
                self.record(&shape, outcome.map(|answer| self.bounded(answer, &needed)));
            }
            let interval = server.map_or(NO_SERVER, |server| server.poll_interval());
            // The interval counts from the start of one poll to the start of the next: after a poll of 2 s,
            // an interval of 5 s leaves 3 s to wait.
            let jitter = 1.0 + JITTER * (2.0 * vas_cluster::random::fraction() - 1.0);
            let taken = self.clock.monotonic().saturating_sub(started);
            let wait = between_polls(interval, timeouts).mul_f64(jitter);
            tokio::select! {
                () = tokio::time::sleep(wait.saturating_sub(taken)) => {}
                // A shape that times out does not poll earlier for a new namespace.
                () = newly_needed(&mut changes, &needed, taken), if timeouts == 0 => {}
            }
        }
    }

    /// The answer without most pods that are not live. The points of an author's own query name no namespace:
    /// they are of the one that needs it.
    fn bounded(&self, mut answer: Answer, needed: &BTreeSet<String>) -> Answer {
        if self.pods.is_complete() {
            answer.keep_live(&|namespace, pod| {
                let is_live = |namespace: &str| self.pods.number(namespace, pod).is_some();
                if namespace.is_empty() {
                    needed.iter().any(|namespace| is_live(namespace))
                } else {
                    is_live(namespace)
                }
            });
        }
        answer
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

/// Completes when a namespace needs the shape that did not need it before, but not earlier than
/// [`NEWLY_NEEDED`] after the start of the latest poll, which was `taken` ago.
async fn newly_needed(changes: &mut watch::Receiver<Needed>, before: &BTreeSet<String>, taken: Duration) {
    let soonest = tokio::time::sleep(NEWLY_NEEDED.saturating_sub(taken));
    // The sender is dropped only after this task was aborted, so the channel does not close.
    let _ = changes.wait_for(|needed| !needed.is_subset(before)).await;
    soonest.await;
}

/// The time between polls of a shape after `timeouts` timeouts in a row. It doubles from the second one on:
/// with an interval of 5 s it is 5, 5, 10, 20, 30, 30 s ... for 0, 1, 2, 3, 4, 5 timeouts.
fn between_polls(interval: Duration, timeouts: u32) -> Duration {
    let doublings = timeouts.saturating_sub(1).min(16);
    let slower = interval.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    slower.max(interval)
}

#[cfg(test)]
mod tests;
