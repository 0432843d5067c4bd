//! The watch of the `VoiceAssistScaling` resources.

use std::sync::Arc;

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
    cache::{Change, Key},
    concern,
    facts::Facts,
    stored::Stored,
};
use vas_cluster::watch::{Sink, events_in, follow};
use vas_core::{k8s::resource_ref::ResourceRef, reconcile::triggers};

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
    follow("voiceassistscalings", &shared.restarts, events, sink).await;
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
        let facts = Facts::of(&resource, &object);
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
