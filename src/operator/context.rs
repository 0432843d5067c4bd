//! What all reconciles of the process share.

use std::{sync::Arc, time::Duration};

use kube::runtime::reflector;

use crate::{
    Leadership, boundaries::Boundaries, caches::Caches, events::Publisher, memory::Memory, metrics::Metrics,
    reconciles::LastReconciles, stored::Stored, targets::Targets, write::Writer,
};
use vas_cluster::{clock::Clock, judging::JudgingQueue, leader::Fence};

/// Clients, caches, memory and settings that every reconcile uses.
pub(super) struct Context {
    /// The resources as the watch last brought them.
    pub(super) store: reflector::Store<Stored>,
    pub(super) caches: Arc<Caches>,
    pub(super) targets: Targets,
    pub(super) writer: Writer,
    pub(super) events: Publisher,
    pub(super) memory: Memory,
    pub(super) boundaries: Arc<Boundaries>,
    pub(super) metrics: Metrics,
    pub(super) reconciles: Arc<LastReconciles>,
    /// The queue in which resources wait for their validation, by namespace.
    pub(super) judging: JudgingQueue,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) manage_limits: bool,
    pub(super) resync_period: Duration,
}

impl Context {
    pub(super) fn new(leadership: &Leadership, store: reflector::Store<Stored>, fence: Fence) -> Self {
        let settings = &leadership.settings;
        let identity = settings.leader.as_ref().map(|leader| leader.identity.as_str());
        let writer = Writer::new(leadership.client.clone(), fence, leadership.metrics.clone());
        Self {
            store,
            caches: leadership.caches.clone(),
            targets: Targets::new(leadership.client.clone(), leadership.clock.clone()),
            events: Publisher::new(
                writer.clone(),
                identity.unwrap_or("vas-operator"),
                leadership.clock.clone(),
                leadership.metrics.clone(),
            ),
            writer,
            memory: Memory::default(),
            boundaries: Arc::default(),
            judging: JudgingQueue::default(),
            metrics: leadership.metrics.clone(),
            reconciles: leadership.reconciles.clone(),
            clock: leadership.clock.clone(),
            manage_limits: settings.manage_limits,
            resync_period: settings.resync_period,
        }
    }

    /// Drops what is remembered of a deleted resource.
    pub(super) fn forget(&self, namespace: Option<&str>, name: &str) {
        // Every queued resource has a namespace.
        if let Some(namespace) = namespace {
            let key = (namespace.to_owned(), name.to_owned());
            self.memory.forget(&key);
            self.boundaries.set(&key, None);
            self.reconciles.forget(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::StatusCode};
    use kube::Client;
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::{
        MetricsLimits, Settings,
        metrics::Metrics,
        streams::{Streams, Triggers},
    };
    use vas_cluster::{
        clock::SystemClock,
        telemetry::api_requests::ApiRequests,
        watch::{Restarts, Scope},
    };
    use vas_core::monitoring::exposition::Detail;

    #[tokio::test]
    async fn nothing_of_a_deleted_resource_is_kept() {
        let no_server = Router::new().fallback(async || StatusCode::SERVICE_UNAVAILABLE);
        let client = Client::new(no_server, "default");
        let (store, writer) = reflector::store::<Stored>();
        let (triggers, _queue) = Triggers::new();
        let streams = Streams::start(
            &client,
            Scope::default(),
            writer,
            triggers.clone(),
            Restarts::default(),
        );
        let resync_period = Duration::from_secs(1800);
        let leadership = Leadership {
            client,
            settings: Settings {
                scope: Scope::default(),
                leader: None,
                metrics_bind_address: ([127, 0, 0, 1], 0).into(),
                manage_limits: false,
                resync_period,
                concurrent_reconciles: 1,
                api_requests: ApiRequests::default(),
                metrics: MetricsLimits {
                    detail: Detail::Full,
                    max_series: 1,
                },
            },
            clock: Arc::new(SystemClock::new()),
            metrics: Metrics::register(&mut Registry::default(), resync_period),
            reconciles: Arc::default(),
            caches: streams.caches(),
            triggers,
        };
        let context = Context::new(&leadership, store, Fence::open());
        let key = ("ns".to_owned(), "gone".to_owned());
        context.memory.failed(&key);
        context.reconciles.ended(&key, Duration::ZERO);
        context.forget(Some("ns"), "gone");
        assert_eq!(context.memory.failures(&key), 0);
        let late = Duration::from_secs(9);
        let age = context.reconciles.oldest(std::iter::once(key), late);
        assert_eq!(
            age,
            Some(Duration::ZERO),
            "a new resource of that name is as old as its first look"
        );
    }
}
