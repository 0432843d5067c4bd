//! The watches. They keep the caches of every replica up to date, and trigger reconciles on the leader.
//!
//! Each watch runs in its own task and restarts with backoff. A watch that ends is a bug and ends the
//! process. The caches hold objects in their compact form only.

mod children;
#[cfg(test)]
mod relist_tests;
mod resources;
mod singles;
mod targets;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{
    Stream, StreamExt,
    channel::mpsc::{self, UnboundedReceiver, UnboundedSender},
};
use k8s_openapi::{
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    kube_aggregator::pkg::apis::apiregistration::v1::APIService,
};
use kube::{
    Client,
    runtime::reflector::{ObjectRef, store::Writer},
};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    cache::Cache,
    caches::Caches,
    facts::Facts,
    stored::Stored,
    targets::{WatchedKind, WatchedTargets},
    written::WrittenStatuses,
};
use singles::Judgement;
use vas_api::vpa::VPA_CRD;
use vas_cluster::{
    telemetry::http::Check,
    watch::{Restarts, Scope},
};
use vas_core::reconcile::{child::ChildKind, metrics_server, observed::VpaSupport, vpa_support};

/// Time for which the metrics server must be gone, or back, before resources are reconciled for it. It is
/// longer than a rollout leaves the APIService without an endpoint.
const API_SERVICE_SETTLES: Duration = Duration::from_secs(10);

/// The sending side of the queue of resources to reconcile. While this replica does not lead, triggers are
/// dropped: a new leader reconciles every resource once.
#[derive(Clone, Debug)]
pub(super) struct Triggers {
    send: UnboundedSender<ObjectRef<Stored>>,
    active: Arc<AtomicBool>,
}

/// The receiving side of [`Triggers`].
#[derive(Debug)]
pub(super) struct Queue {
    receive: UnboundedReceiver<ObjectRef<Stored>>,
    active: Arc<AtomicBool>,
}

impl Triggers {
    pub(super) fn new() -> (Self, Queue) {
        let (send, receive) = mpsc::unbounded();
        let active = Arc::new(AtomicBool::new(false));
        let queue = Queue {
            receive,
            active: active.clone(),
        };
        (Self { send, active }, queue)
    }

    /// Whether this replica leads, so that triggers are queued and not dropped.
    fn are_active(&self) -> bool {
        self.active.load(Ordering::Acquire)
    }

    /// Queues resources of a namespace.
    pub(super) fn trigger(&self, namespace: &str, names: impl IntoIterator<Item = String>) {
        if self.are_active() {
            for name in names {
                // The send fails only without a receiver: then the controller has ended and the process is
                // ending.
                let _ = self.send.unbounded_send(ObjectRef::new(&name).within(namespace));
            }
        }
    }

    fn trigger_all(&self, resources: &Cache<Facts>) {
        for (namespace, name) in resources.keys() {
            self.trigger(&namespace, [name]);
        }
    }
}

impl Queue {
    /// Returns a stream of the names that are triggered from now on.
    #[cfg(test)]
    pub(super) fn triggered(self) -> impl Stream<Item = String> + Send + 'static {
        self.active.store(true, Ordering::Release);
        self.receive.map(|object| object.name)
    }

    /// Returns a stream of all resources that exist, followed by those that are triggered from now on.
    pub(super) fn activate(self, caches: &Caches) -> impl Stream<Item = ObjectRef<Stored>> + Send + 'static {
        // First accept triggers, then list: a resource that changes in between is queued twice, never missed.
        self.active.store(true, Ordering::Release);
        let all: Vec<_> = caches
            .resources
            .keys()
            .into_iter()
            .map(|(namespace, name)| ObjectRef::new(&name).within(&namespace))
            .collect();
        futures::stream::iter(all).chain(self.receive)
    }
}

/// The running watches. Dropping this value ends them.
#[derive(Debug)]
pub(super) struct Streams {
    caches: Arc<Caches>,
    tasks: JoinSet<&'static str>,
}

impl Streams {
    pub(super) fn start(
        client: &Client,
        scope: Scope,
        store: Writer<Stored>,
        triggers: Triggers,
        restarts: Restarts,
    ) -> Self {
        let (vpa, vpa_seen) = watch::channel(None);
        let (metrics_server, metrics_server_seen) = watch::channel(None);
        let caches = Arc::new(Caches {
            resources: Cache::new(),
            children: ChildKind::ALL
                .into_iter()
                .map(|kind| (kind, Cache::new()))
                .collect(),
            targets: WatchedKind::ALL
                .into_iter()
                .map(|kind| (kind, WatchedTargets::new()))
                .collect(),
            written: WrittenStatuses::default(),
            vpa: vpa_seen,
            metrics_server: metrics_server_seen,
        });
        let mut tasks = JoinSet::new();
        let shared = Shared {
            client: client.clone(),
            scope,
            caches: caches.clone(),
            triggers,
            restarts,
        };
        tasks.spawn(named(
            "the watch of voiceassistscalings",
            resources::watch(shared.clone(), store),
        ));
        for kind in ChildKind::ALL {
            let watch = children::watch(shared.clone(), kind);
            tasks.spawn(named("the watch of a child kind", watch));
        }
        for kind in WatchedKind::ALL {
            let watch = targets::watch(shared.clone(), kind);
            tasks.spawn(named("the watch of a kind of targets", watch));
        }
        let crd = Judgement::<CustomResourceDefinition, _> {
            name: VPA_CRD,
            judge: vpa_support::judge,
            forbidden: VpaSupport::Absent,
            settle: Duration::ZERO,
        };
        let crd = singles::watch(shared.clone(), crd, vpa);
        tasks.spawn(named("the watch of the VPA's CustomResourceDefinition", crd));
        let api_service = Judgement::<APIService, _> {
            name: metrics_server::NAME,
            judge: metrics_server::judge,
            forbidden: metrics_server::forbidden(),
            settle: API_SERVICE_SETTLES,
        };
        let api_service = singles::watch(shared, api_service, metrics_server);
        tasks.spawn(named("the watch of the metrics server's APIService", api_service));
        Self { caches, tasks }
    }

    pub(super) fn caches(&self) -> Arc<Caches> {
        self.caches.clone()
    }

    /// Waits until a watch ends, which none should, and returns its name.
    pub(super) async fn ended(&mut self) -> &'static str {
        match self.tasks.join_next().await {
            Some(Ok(name)) => name,
            Some(Err(_)) | None => "a watch",
        }
    }

    /// The readiness check: every cache is complete. A standby replica becomes ready too.
    pub(super) fn readiness(&self) -> Check {
        let caches = self.caches.clone();
        Arc::new(move || {
            let missing = caches.missing();
            if missing.is_empty() {
                Ok(())
            } else {
                Err(format!("not yet read: {}", missing.join(", ")))
            }
        })
    }
}

/// What every watch uses.
#[derive(Clone)]
struct Shared {
    client: Client,
    scope: Scope,
    caches: Arc<Caches>,
    triggers: Triggers,
    restarts: Restarts,
}

async fn named(name: &'static str, watch: impl Future<Output = ()>) -> &'static str {
    watch.await;
    name
}
