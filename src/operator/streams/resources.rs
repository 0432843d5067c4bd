//! The watch of the `VoiceAssistScaling` resources.

use std::{collections::BTreeMap, sync::Arc};

use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt,
        reflector::{ObjectRef, Store, store::Writer},
        watcher::Config,
    },
};

use super::{Shared, targets};
use crate::{
    cache::{Change, Indexed, Key, Term},
    concern,
    stored::Stored,
};
use vas_api::condition::METRICS_AVAILABLE;
use vas_cluster::watch::{Sink, events_in, follow};
use vas_core::{
    k8s::resource_ref::ResourceRef,
    reconcile::{observed::Claim, triggers},
};

/// The part of a resource that other resources depend on, or whose change needs a reconcile. A change of
/// anything else, such as the operator's own write of the status, triggers nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What the resource lays claim to; `None` while the resource is being deleted or does not parse.
    pub(crate) claim: Option<Arc<Claim>>,
    uid: String,
    generation: i64,
    /// The annotations that suspend. A change of an annotation does not change the generation.
    annotations: Option<BTreeMap<String, String>>,
    deleting: bool,
    /// Status, reason and observed generation of the condition that the metrics server writes.
    metrics_available: Option<(String, String, Option<i64>)>,
}

pub(super) async fn watch(shared: Shared, store: Writer<Stored>) {
    let apis = shared.scope.apis(
        || Api::all(shared.client.clone()),
        |namespace| Api::namespaced(shared.client.clone(), namespace),
    );
    let sink = Resources {
        shared: &shared,
        shown: store.as_reader(),
    };
    // `reflect` puts each event into the store before the sink sees the event, so the written statuses may be
    // dropped then: see `WrittenStatuses::last`.
    let events = events_in(apis, Config::default()).reflect(store);
    follow("voiceassistscalings", events, sink).await;
}

/// Keeps the facts of all resources.
struct Resources<'a> {
    shared: &'a Shared,
    /// The watch's copy of the resources. Until a list is complete it holds what it held before the list.
    shown: Store<Stored>,
}

/// Which resource it is. `None`, and an error in the log, for an object of which that is not known, which no
/// API server sends.
fn identified(object: &Stored) -> Option<ResourceRef> {
    let resource = ResourceRef::of(object.meta());
    resource
        .inspect_err(|error| tracing::error!(%error, "skipped a VoiceAssistScaling"))
        .ok()
}

fn key(resource: ResourceRef) -> Key {
    (resource.namespace, resource.name)
}

impl Sink<Stored> for Resources<'_> {
    type Listed = (Key, Facts);

    fn list(&mut self, object: Stored) -> Option<(Key, Facts)> {
        let resource = identified(&object)?;
        let facts = facts(&resource, &object);
        Some((key(resource), facts))
    }

    fn complete(&mut self, listed: Vec<(Key, Facts)>) {
        let caches = &self.shared.caches;
        caches.written.listed(|(namespace, name)| {
            let object = self.shown.get(&ObjectRef::new(name).within(namespace))?;
            object.meta().resource_version.clone()
        });
        for change in caches.resources.replace(listed) {
            trigger(self.shared, &change);
        }
    }

    fn apply(&mut self, object: Stored) {
        let version = object.meta().resource_version.clone();
        if let Some((key, facts)) = self.list(object) {
            let caches = &self.shared.caches;
            caches.written.seen(&key, version.as_deref());
            trigger(self.shared, &caches.resources.put(key, facts));
        }
    }

    fn delete(&mut self, object: Stored) {
        if let Some(key) = identified(&object).map(key) {
            let caches = &self.shared.caches;
            caches.written.seen(&key, None);
            trigger(self.shared, &caches.resources.remove(key));
        }
    }
}

/// Triggers a resource whose facts changed, and the resources that its claim conflicts with.
fn trigger(shared: &Shared, change: &Change<Facts>) {
    let (namespace, name) = &change.key;
    if change.before == change.after {
        return;
    }
    let claim = |facts: &Option<Arc<Facts>>| facts.as_ref().and_then(|facts| facts.claim.clone());
    let (before, after) = (claim(&change.before), claim(&change.after));
    // Every replica releases targets, also one that does not lead: its caches must not grow.
    if before != after {
        targets::release(shared, namespace, before.as_deref(), after.as_deref());
    }
    if !shared.triggers.are_active() {
        return;
    }
    shared.triggers.trigger(namespace, [name.clone()]);
    if before != after {
        let (before, after) = (before.as_deref(), after.as_deref());
        let claims = concern::conflicting(&shared.caches.resources, namespace, before, after);
        let conflicting = triggers::conflicting(before, after, claims.iter().map(AsRef::as_ref));
        shared.triggers.trigger(namespace, conflicting);
    }
}

impl Indexed for Facts {
    fn all_of(&self) -> Vec<Term<'_>> {
        let targets = self.claim.iter().flat_map(|claim| &claim.targets);
        targets.map(Term::Target).collect()
    }

    fn one_of(&self) -> Vec<Term<'_>> {
        Vec::new()
    }
}

fn facts(resource: &ResourceRef, stored: &Stored) -> Facts {
    let metadata = stored.meta();
    let object = stored.object().ok();
    let deleting = metadata.deletion_timestamp.is_some();
    Facts {
        uid: resource.uid.clone(),
        generation: resource.generation,
        annotations: metadata.annotations.clone(),
        deleting,
        claim: object
            .as_ref()
            .filter(|_| !deleting)
            .map(|object| Arc::new(Claim::of(resource, object))),
        metrics_available: object
            .and_then(|object| object.status)
            .and_then(|status| status.conditions)
            .and_then(|conditions| conditions.into_iter().find(|one| one.type_ == METRICS_AVAILABLE))
            .map(|condition| (condition.status, condition.reason, condition.observed_generation)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn facts_with(condition: &Value, annotations: &Value) -> Facts {
        let object: Stored = serde_json::from_value(json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1",
            "kind": "VoiceAssistScaling",
            "metadata": {"namespace": "ns", "name": "v", "uid": "1", "generation": 2, "annotations": annotations},
            "spec": {"workloads": []},
            "status": {"conditions": [condition]},
        }))
        .unwrap();
        facts(&identified(&object).unwrap(), &object)
    }

    #[test]
    fn a_suspension_is_news_and_no_other_annotation_is() {
        let condition = json!({"type": "Ready", "status": "True", "reason": "Ready", "message": "",
                               "lastTransitionTime": "2026-01-01T00:00:00Z"});
        let with = |annotations: Value| facts_with(&condition, &annotations);
        let none = with(json!({}));
        assert_eq!(
            none,
            with(json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"}))
        );
        let suspended = with(json!({"scaling.voiceassist.io/suspend": "workloads=a"}));
        assert_ne!(none, suspended);
        assert_ne!(suspended, with(json!({"scaling.voiceassist.io/suspend": ""})));
        assert_ne!(
            suspended,
            with(json!({"scaling.voiceassist.io/suspend.ben": "workloads=a"}))
        );
    }

    #[test]
    fn the_metrics_servers_verdict_on_a_newer_spec_is_news_and_its_message_is_none() {
        let condition = |generation: i64, message: &str| {
            json!({"type": METRICS_AVAILABLE, "status": "True", "reason": "MetricsFresh", "message": message,
                   "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"})
        };
        let facts_with = |condition: &Value| facts_with(condition, &json!({}));
        let before = facts_with(&condition(1, "1 metric"));
        assert_eq!(before, facts_with(&condition(1, "2 metrics")));
        assert_ne!(before, facts_with(&condition(2, "1 metric")));
    }
}
