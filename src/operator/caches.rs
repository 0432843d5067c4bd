//! The caches of everything that the operator watches. Invariant: the watches alone write them.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

use crate::{
    cache::Cache,
    facts::Facts,
    targets::{Coverage, WatchedKind, WatchedTargets},
    written::WrittenStatuses,
};
use vas_api::v1alpha1::ScaleTargetRef;
use vas_core::reconcile::{
    child::{ChildKind, Live},
    observed::{MetricsServer, VpaSupport},
};

/// The caches of everything that the operator watches.
#[derive(Debug)]
pub(super) struct Caches {
    /// The facts of each resource. kube's reflector store holds the resources themselves, but it finds them
    /// by name only and does not tell what an event changed. This cache also finds them by target and returns
    /// each change.
    pub(super) resources: Arc<Cache<Facts>>,
    pub(super) children: BTreeMap<ChildKind, Arc<Cache<Live>>>,
    pub(super) targets: BTreeMap<WatchedKind, Arc<WatchedTargets>>,
    pub(super) written: WrittenStatuses,
    /// Whether the cluster serves the VPA; `None` until its CRD was read.
    pub(super) vpa: watch::Receiver<Option<VpaSupport>>,
    /// Whether the metrics server answers; `None` until its APIService was read.
    pub(super) metrics_server: watch::Receiver<Option<MetricsServer>>,
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
    pub(super) fn missing(&self) -> Vec<&'static str> {
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
