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
    collections::BTreeMap,
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
    stored::Stored,
    targets::{Coverage, WatchedKind, WatchedTargets},
    written::WrittenStatuses,
};
pub(super) use resources::Facts;
use singles::Judgement;
use vas_api::{v1alpha1::ScaleTargetRef, vpa::VPA_CRD};
use vas_cluster::{telemetry::http::Check, watch::Scope};
use vas_core::reconcile::{
    child::{ChildKind, Live},
    metrics_server,
    observed::{MetricsServer, VpaSupport},
    vpa_support,
};

/// Time for which the metrics server must be gone, or back, before resources are reconciled for it. It is
/// longer than a rollout leaves the APIService without an endpoint.
const API_SERVICE_SETTLES: Duration = Duration::from_secs(10);

/// The caches of everything that the operator watches.
#[derive(Debug)]
pub(super) struct Caches {
    /// The facts of each resource. kube's reflector store holds the resources themselves, but it finds them
    /// by name only and does not tell what an event changed. This cache also finds them by target and returns
    /// each change.
    pub(super) resources: Arc<Cache<Facts>>,
    pub(super) children: BTreeMap<ChildKind, Arc<Cache<Live>>>,
    targets: BTreeMap<WatchedKind, Arc<WatchedTargets>>,
    pub(super) written: WrittenStatuses,
    /// Whether the cluster serves the VPA; `None` until its CRD was read.
    vpa: watch::Receiver<Option<VpaSupport>>,
    /// Whether the metrics server answers; `None` until its APIService was read.
    metrics_server: watch::Receiver<Option<MetricsServer>>,
}

impl Caches {
    /// The cache of a child kind.
    pub(super) fn of_kind(&self, kind: ChildKind) -> Option<&Cache<Live>> {
        self.children.get(&kind).map(AsRef::as_ref)
    }

    /// The watch that covers a target; `None` if the target must be read by a GET request.
    pub(super) fn watched(&self, target: &ScaleTargetRef) -> Option<(WatchedKind, &WatchedTargets)> {
        let is_meant = |kind: &WatchedKind| {
            target.api_version == WatchedKind::API_VERSION && target.kind == kind.as_str()
        };
        let kind = WatchedKind::ALL.into_iter().find(is_meant)?;
        let watched = self.targets.get(&kind)?;
        let can_be_relied_on = *watched.coverage().borrow() == Coverage::Watched;
        can_be_relied_on.then_some((kind, watched))
    }

    pub(super) fn vpa(&self) -> VpaSupport {
        self.vpa.borrow().clone().unwrap_or_default()
    }

    pub(super) fn metrics_server(&self) -> MetricsServer {
        let known = self.metrics_server.borrow().clone();
        known.unwrap_or_else(|| MetricsServer::Unavailable("not looked at yet".to_owned()))
    }

    /// Returns when every cache is complete.
    pub(super) async fn synced(&self) {
        // `wait_for` fails only when a sender is dropped. The senders live as long as the caches and the
        // watch tasks, and a watch task that ends also ends the process.
        let _ = self.resources.synced().wait_for(|synced| *synced).await;
        for cache in self.children.values() {
            let _ = cache.synced().wait_for(|synced| *synced).await;
        }
        for targets in self.targets.values() {
            let mut coverage = targets.coverage();
            let _ = coverage.wait_for(|coverage| *coverage != Coverage::Listing).await;
        }
        let _ = self.vpa.clone().wait_for(Option::is_some).await;
        let _ = self.metrics_server.clone().wait_for(Option::is_some).await;
    }

    /// The names of the caches that are not complete yet, for `/readyz`.
    fn missing(&self) -> Vec<&'static str> {
        let children = self
            .children
            .iter()
            .map(|(kind, cache)| (kind.plural(), *cache.synced().borrow()));
        let targets = self
            .targets
            .iter()
            .map(|(kind, targets)| (kind.plural(), *targets.coverage().borrow() != Coverage::Listing));
        [
            ("voiceassistscalings", *self.resources.synced().borrow()),
            ("the VPA's CustomResourceDefinition", self.vpa.borrow().is_some()),
            (
                "the metrics server's APIService",
                self.metrics_server.borrow().is_some(),
            ),
        ]
        .into_iter()
        .chain(children)
        .chain(targets)
        .filter_map(|(name, synced)| (!synced).then_some(name))
        .collect()
    }
}

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

    fn trigger(&self, namespace: &str, names: impl IntoIterator<Item = String>) {
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
    pub(super) fn start(client: &Client, scope: Scope, store: Writer<Stored>, triggers: Triggers) -> Self {
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
}

async fn named(name: &'static str, watch: impl Future<Output = ()>) -> &'static str {
    watch.await;
    name
}
