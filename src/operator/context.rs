//! What all reconciles of the process share.

use std::{sync::Arc, time::Duration};

use kube::runtime::reflector;

use crate::{
    Leadership, caches::Caches, events::Publisher, memory::Memory, metrics::Metrics, stored::Stored,
    targets::Targets, write::Writer,
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
    pub(super) metrics: Metrics,
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
        let writer = Writer::new(leadership.client.clone(), fence);
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
            judging: JudgingQueue::default(),
            metrics: leadership.metrics.clone(),
            clock: leadership.clock.clone(),
            manage_limits: settings.manage_limits,
            resync_period: settings.resync_period,
        }
    }

    /// Drops what is remembered of a deleted resource.
    pub(super) fn forget(&self, namespace: Option<&str>, name: &str) {
        // Every queued resource has a namespace.
        if let Some(namespace) = namespace {
            self.memory.forget(&(namespace.to_owned(), name.to_owned()));
        }
    }
}
