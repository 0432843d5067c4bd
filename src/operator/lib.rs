//! `vas operator`: observe -> validate -> plan -> apply -> status, for every `VoiceAssistScaling`.
//!
//! ```text
//! streams: watches --> caches (compact, by namespace) --> which resources does the change affect? --> queue
//! reconcile: observe [reads] -> validate, plan [pure] -> apply [writes] -> status [pure] -> update_status
//! ```
//!
//! Every replica keeps its caches up to date; only the leader reconciles. All decisions are made in
//! [`vas_core`]; this folder only reads and writes.

#![cfg_attr(
    test,
    allow(clippy::needless_pass_by_value, reason = "tests pass json!(..) inline")
)]

mod apply;
mod boundaries;
mod cache;
mod caches;
mod concern;
mod context;
mod error;
mod events;
mod facts;
mod live;
mod malformed;
mod memory;
mod metrics;
mod objects;
mod observe;
mod pruned;
mod reconcile;
mod reconciles;
mod stored;
mod streams;
mod targets;
mod update_status;
mod write;
mod written;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use futures::StreamExt;
use kube::{
    Client,
    runtime::{
        Controller,
        controller::{self, Config},
        reflector,
    },
};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

use crate::{
    context::Context,
    metrics::Metrics,
    objects::Objects,
    reconciles::LastReconciles,
    stored::Stored,
    streams::{Streams, Triggers},
};
pub use objects::MetricsLimits;
use vas_cluster::{
    clock::Clock,
    leader::{self, Election, Fence, LeaderConfig, LeaderState},
    telemetry::{
        api_requests::ApiRequests,
        exposed::Exposed,
        http::{self, Endpoints, HttpError},
        process,
        scrapes::Scrapes,
    },
    watch::{Restarts, Scope},
};
use vas_core::monitoring::families::{Exporter, operator as families};

/// A resource is reconciled when no trigger came for this time, so that the watch events of all its children
/// together cause one reconcile.
const DEBOUNCE: Duration = Duration::from_millis(250);
/// Longest wait for running reconciles on a graceful stop.
const DRAIN: Duration = Duration::from_secs(20);

/// Settings of the operator process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The namespaces to watch.
    pub scope: Scope,
    /// Settings of the leader election; `None` reconciles without an election.
    pub leader: Option<LeaderConfig>,
    /// Address of `/metrics`, `/healthz` and `/readyz`.
    pub metrics_bind_address: SocketAddr,
    /// Whether the operator writes LimitRanges and ResourceQuotas.
    pub manage_limits: bool,
    /// Time after which an unchanged resource is reconciled again.
    pub resync_period: Duration,
    /// Most reconciles that run at the same time.
    pub concurrent_reconciles: u16,
    /// How much is exported of resources at `/metrics`.
    pub metrics: MetricsLimits,
    /// The counts that the client keeps of its requests.
    pub api_requests: ApiRequests,
}

/// Why the operator ended although nobody asked it to stop.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The port of `/metrics`, `/healthz` and `/readyz` could not be opened.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Another replica may lead now; a restart starts clean.
    #[error("lost the leader lease; exiting so that a restart starts clean")]
    LostLease,
    /// The named task ended, which it never should.
    #[error("{0} ended unexpectedly")]
    Ended(&'static str),
}

/// Runs until `stop` is cancelled.
///
/// # Errors
/// See [`OperatorError`].
pub async fn run(
    client: Client,
    settings: Settings,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<(), OperatorError> {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry, settings.resync_period);
    let reconciles = Arc::new(LastReconciles::default());
    let (store, writer) = reflector::store::<Stored>();
    let (triggers, queue) = Triggers::new();
    let restarts = Restarts::default();
    settings
        .api_requests
        .register(&mut registry, families::API_REQUESTS);
    restarts.register(&mut registry, families::WATCH_RESTARTS);
    process::register(&mut registry, Exporter::Operator);
    let scope = settings.scope.clone();
    let mut streams = Streams::start(&client, scope, writer, triggers.clone(), restarts);

    let listener = http::bind(settings.metrics_bind_address)?;
    let objects = Objects {
        store: store.clone(),
        caches: streams.caches(),
        reconciles: reconciles.clone(),
        metrics: metrics.clone(),
        clock: clock.clone(),
        limits: settings.metrics,
        reduced: AtomicBool::new(false),
    };
    let endpoints = Endpoints {
        live: http::always(),
        ready: streams.readiness(),
        metrics: Arc::new(Scrapes::new(Exposed {
            registry: Arc::new(registry),
            objects: Arc::new(move || objects.parts()),
        })),
    };
    let serving = tokio::spawn(http::serve(listener, endpoints, stop.child_token()));

    let leadership = Leadership {
        client,
        settings,
        clock,
        metrics,
        reconciles,
        caches: streams.caches(),
        triggers,
    };
    let result = tokio::select! {
        watch = streams.ended() => Err(OperatorError::Ended(watch)),
        result = leadership.run(store, queue, &stop) => result,
    };
    stop.cancel();
    // The server stops with the token. Its result no longer matters: the process is ending.
    let _ = serving.await;
    result
}

/// What the process needs to become the leader and to reconcile.
struct Leadership {
    client: Client,
    settings: Settings,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    reconciles: Arc<LastReconciles>,
    caches: Arc<caches::Caches>,
    triggers: Triggers,
}

impl Leadership {
    /// Waits for the caches and the lease, then reconciles until asked to stop or until the lease is lost.
    async fn run(
        self,
        store: reflector::Store<Stored>,
        queue: streams::Queue,
        stop: &CancellationToken,
    ) -> Result<(), OperatorError> {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = self.caches.synced() => {}
        }
        let config = self.settings.leader.clone();
        let mut election =
            config.map(|config| leader::elect(self.client.clone(), config, self.clock.clone()));
        let elected = tokio::select! {
            () = stop.cancelled() => Ok(()),
            elected = leading(&mut election) => match elected {
                Ok(()) => self.reconcile(store, queue, &mut election, stop).await,
                Err(error) => Err(error),
            },
        };
        if let Some(election) = election {
            election.release().await;
        }
        elected
    }

    async fn reconcile(
        &self,
        store: reflector::Store<Stored>,
        queue: streams::Queue,
        election: &mut Option<Election>,
        stop: &CancellationToken,
    ) -> Result<(), OperatorError> {
        let fence = election
            .as_ref()
            .map_or_else(Fence::open, |election| election.fence.clone());
        let config = Config::default()
            .debounce(DEBOUNCE)
            .concurrency(self.settings.concurrent_reconciles);
        let context = Arc::new(Context::new(self, store.clone(), fence));
        let forget = context.clone();
        let boundaries = boundaries::wake(
            context.boundaries.clone(),
            self.clock.clone(),
            self.triggers.clone(),
            self.metrics.clone(),
        );
        self.metrics.leader.set(1);
        // The controller gets no watch of its own, hence `pending`. Its watch would start only with the
        // leadership, and it would reconcile at every event, also at the operator's own writes of a status.
        // The queue holds the resources whose facts changed, and a new leader starts with the caches that the
        // standby kept up to date.
        let controller = Controller::for_stream(futures::stream::pending(), store)
            .with_config(config)
            .reconcile_on(queue.activate(&self.caches))
            .graceful_shutdown_on(stop.clone().cancelled_owned())
            .run(reconcile::reconcile, reconcile::error_policy, context)
            .for_each(|result| {
                if let Err(controller::Error::ObjectNotFound(object)) = &result {
                    forget.forget(object.namespace.as_deref(), &object.name);
                }
                std::future::ready(())
            });
        let drained = async {
            stop.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        let result = tokio::select! {
            () = controller => {
                if stop.is_cancelled() { Ok(()) } else { Err(OperatorError::Ended("the controller")) }
            }
            () = boundaries => Err(OperatorError::Ended("the boundaries of schedules")),
            () = drained => Ok(()),
            () = lost(election) => Err(OperatorError::LostLease),
        };
        self.metrics.leader.set(0);
        result
    }
}

/// Returns when this process leads; without an election, immediately.
async fn leading(election: &mut Option<Election>) -> Result<(), OperatorError> {
    let Some(election) = election else {
        return Ok(());
    };
    let state = election
        .state
        .wait_for(|state| *state == LeaderState::Leading)
        .await;
    state
        .map(|_| ())
        .map_err(|_| OperatorError::Ended("the leader election"))
}

/// Returns when this process no longer leads; without an election, never.
async fn lost(election: &mut Option<Election>) {
    match election {
        // An election that ended for another reason counts as lost.
        Some(election) => {
            let _ = election
                .state
                .wait_for(|state| *state != LeaderState::Leading)
                .await;
        }
        None => std::future::pending().await,
    }
}
