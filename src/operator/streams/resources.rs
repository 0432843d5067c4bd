//! The watch of the resources themselves.

use std::sync::Arc;

use futures::StreamExt;
use kube::{
    Api, Resource, ResourceExt,
    runtime::{
        WatchStreamExt,
        reflector::store::Writer,
        watcher::{self, watcher},
    },
};

use super::{Guarded, Shared, map};
use crate::{
    api::condition::METRICS_AVAILABLE,
    core::{observed::Claim, wake},
    operator::cache::{Change, Feed, Key},
};

/// What of a resource others act on, and what decides whether a change of it needs a reconcile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::operator) struct Facts {
    /// `None` while it is being deleted or does not parse.
    pub(in crate::operator) claim: Option<Arc<Claim>>,
    uid: String,
    generation: Option<i64>,
    deleting: bool,
    /// Of the one condition that the metrics server writes: status, reason, and the generation it judged.
    metrics_available: Option<(String, String, Option<i64>)>,
}

pub(super) async fn watch(shared: Shared, store: Writer<Guarded>) {
    let api: Api<Guarded> = match &shared.namespace {
        Some(namespace) => Api::namespaced(shared.client.clone(), namespace),
        None => Api::all(shared.client.clone()),
    };
    let mut feed = Feed::new(shared.caches.resources.clone());
    let mut events = std::pin::pin!(
        watcher(api, watcher::Config::default())
            .default_backoff()
            .modify(prune)
            .reflect(store)
    );
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                for change in feed.handle(map(event, facts)) {
                    wake(&shared, &change);
                }
            }
            Err(error) => tracing::warn!(%error, "the watch of voiceassistscalings failed; trying again"),
        }
    }
}

fn wake(shared: &Shared, change: &Change<Facts>) {
    let (namespace, name) = &change.key;
    if change.before == change.after {
        return;
    }
    shared.triggers.wake(namespace, [name.clone()]);
    let claim = |facts: &Option<Arc<Facts>>| facts.as_ref().and_then(|facts| facts.claim.clone());
    let (before, after) = (claim(&change.before), claim(&change.after));
    if before != after {
        let claims: Vec<_> = claims(shared, namespace);
        let rivals = wake::rivals(
            before.as_deref(),
            after.as_deref(),
            claims.iter().map(AsRef::as_ref),
        );
        shared.triggers.wake(namespace, rivals);
    }
}

/// The claims of a namespace.
pub(super) fn claims(shared: &Shared, namespace: &str) -> Vec<Arc<Claim>> {
    let facts = shared.caches.resources.in_namespace(namespace);
    facts.iter().filter_map(|facts| facts.claim.clone()).collect()
}

/// managedFields are most of an object's memory, and nobody reads them here.
fn prune(object: &mut Guarded) {
    let metadata = object.meta_mut();
    metadata.managed_fields = None;
    metadata.annotations = None;
}

fn facts(object: Guarded) -> (Key, Facts) {
    let metadata = object.meta();
    let key = (metadata.namespace.clone().unwrap_or_default(), object.name_any());
    let deleting = metadata.deletion_timestamp.is_some();
    let facts = Facts {
        uid: metadata.uid.clone().unwrap_or_default(),
        generation: metadata.generation,
        deleting,
        claim: object
            .0
            .as_ref()
            .ok()
            .filter(|_| !deleting)
            .map(|object| Arc::new(Claim::of(object))),
        metrics_available: object
            .0
            .ok()
            .and_then(|object| object.status)
            .and_then(|status| status.conditions)
            .and_then(|conditions| conditions.into_iter().find(|one| one.type_ == METRICS_AVAILABLE))
            .map(|condition| (condition.status, condition.reason, condition.observed_generation)),
    };
    (key, facts)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn facts_with(condition: &Value) -> Facts {
        let object: Guarded = serde_json::from_value(json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1",
            "kind": "VoiceAssistScaling",
            "metadata": {"namespace": "ns", "name": "v", "uid": "1", "generation": 2},
            "spec": {"workloads": []},
            "status": {"conditions": [condition]},
        }))
        .unwrap();
        facts(object).1
    }

    #[test]
    fn the_metrics_servers_verdict_on_a_newer_spec_is_news_and_its_message_is_none() {
        let condition = |generation: i64, message: &str| {
            json!({"type": METRICS_AVAILABLE, "status": "True", "reason": "MetricsFresh", "message": message,
                   "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"})
        };
        let before = facts_with(&condition(1, "1 metric"));
        assert_eq!(before, facts_with(&condition(1, "2 metrics")));
        assert_ne!(before, facts_with(&condition(2, "1 metric")));
    }
}
