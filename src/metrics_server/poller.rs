//! Polls Prometheus: one task per shape, each with one poll at a time, so that a shape that hangs never
//! delays another. A new shape is polled at once.
//!
//! Authors' own queries wait for places of their own: slow ones delay each other, not the shared shapes. And a
//! shape that times out again and again is asked less often, so that many of them do not hold all places.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{registry::Registry, store::Store, telemetry::Telemetry};
use crate::{
    clock::Clock,
    core::{
        promql::{Answer, Grouping, Labels, Shape},
        reading::Failure,
    },
    prometheus::{Client, QueryError},
};

/// Polls at once of shared shapes.
const SHARED_AT_ONCE: usize = 32;
/// Polls at once of authors' own queries.
const OWN_AT_ONCE: usize = 16;
/// Changes of resources that come this close together are taken in as one.
const SETTLE: Duration = Duration::from_millis(100);
/// Part of the interval by which each poll is moved at random, so that shapes spread out.
const JITTER: f64 = 0.1;

/// Longest time between polls of a shape that times out.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What polling needs.
pub struct Poller {
    /// The Prometheus servers by the name resources call them.
    pub servers: BTreeMap<String, Client>,
    /// Labels that tell series apart.
    pub labels: Labels,
    /// Time between polls of a shape.
    pub interval: Duration,
    /// Which metrics are wanted.
    pub registry: Arc<Registry>,
    /// Where outcomes go.
    pub store: Arc<Store>,
    /// Counts polls.
    pub telemetry: Arc<Telemetry>,
    /// Dates answers.
    pub clock: Arc<dyn Clock>,
}

impl Poller {
    /// Polls what the registry wants until `stop`; `registry_changed` wakes it.
    pub async fn run(self, mut registry_changed: watch::Receiver<bool>, stop: CancellationToken) {
        let poller = Arc::new(self);
        let shared = Arc::new(Semaphore::new(SHARED_AT_ONCE));
        let own = Arc::new(Semaphore::new(OWN_AT_ONCE));
        let mut tasks = JoinSet::new();
        let mut running: BTreeMap<Arc<Shape>, AbortHandle> = BTreeMap::new();
        loop {
            let wanted = poller.wanted();
            // A task never ends by itself: one that ended panicked, and is started again.
            running.retain(|shape, task| {
                let keep = wanted.contains(shape) && !task.is_finished();
                if !keep {
                    task.abort();
                }
                keep
            });
            for shape in wanted {
                if running.contains_key(&shape) {
                    continue;
                }
                let places = if shape.grouping == Grouping::Single {
                    &own
                } else {
                    &shared
                };
                let task = tasks.spawn(poller.clone().poll_for_ever(shape.clone(), places.clone()));
                running.insert(shape, task);
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

    fn wanted(&self) -> BTreeSet<Arc<Shape>> {
        let entries = self.registry.entries();
        let metrics = entries.iter().flat_map(|(_, entry)| &entry.metrics);
        metrics.filter_map(|metric| metric.shape.clone().ok()).collect()
    }

    async fn poll_for_ever(self: Arc<Self>, shape: Arc<Shape>, places: Arc<Semaphore>) {
        let mut timeouts = 0;
        loop {
            let started = self.clock.monotonic();
            {
                // The semaphore is never closed.
                let _place = places.acquire().await;
                let outcome = self.poll(&shape).await;
                let taken = self.clock.monotonic().saturating_sub(started);
                self.telemetry.polled(outcome.is_ok(), taken, self.clock.now());
                timeouts = match &outcome {
                    Err(PollError { timed_out: true, .. }) => timeouts + 1,
                    _ => 0,
                };
                self.record(&shape, outcome.map_err(|error| error.failure));
            }
            let jitter = 1.0 + JITTER * (2.0 * crate::random::fraction() - 1.0);
            let taken = self.clock.monotonic().saturating_sub(started);
            let wait = between_polls(self.interval, timeouts).mul_f64(jitter);
            tokio::time::sleep(wait.saturating_sub(taken)).await;
        }
    }

    /// One poll. The times come first: a value is then never older than the time it is given.
    async fn poll(&self, shape: &Shape) -> Result<Answer, PollError> {
        let Some(client) = self.servers.get(&shape.server) else {
            let known: Vec<_> = self.servers.keys().map(String::as_str).collect();
            return Err(unsuitable(format!(
                "prometheusServer {:?} is not configured; this metrics server knows {}",
                shape.server,
                known.join(", ")
            )));
        };
        // Taken before the first query, so that no age comes out too young.
        let asked = self.clock.monotonic();
        let in_words = |error: QueryError| PollError {
            timed_out: matches!(error, QueryError::Timeout(_)),
            failure: Failure::Prometheus(error.to_string().into()),
        };
        let times = match &shape.age {
            Some(age) => client.query(age).await.map_err(in_words)?,
            None => Vec::new(),
        };
        let values = match shape.grouping {
            Grouping::Single => client.query_one(&shape.value).await,
            Grouping::Pod | Grouping::Namespace => client.query(&shape.value).await,
        };
        let values = values.map_err(in_words)?;
        Answer::join(shape, &self.labels, &values, &times, asked)
            .map_err(|error| unsuitable(error.to_string()))
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

/// A poll that brought no data.
struct PollError {
    failure: Failure,
    timed_out: bool,
}

fn unsuitable(words: String) -> PollError {
    PollError {
        failure: Failure::Unsuitable(words.into()),
        timed_out: false,
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
