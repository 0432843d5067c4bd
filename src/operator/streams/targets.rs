//! The watches of Deployments and StatefulSets. They keep the objects that are the target of a resource and
//! drop the others.

use std::{collections::BTreeSet, time::Duration};

use kube::{
    Api,
    runtime::watcher::{self, Config},
};

use super::Shared;
use crate::{
    cache::Key,
    concern,
    targets::{Known, TargetObject, WatchedKind, WatchedTargets, api_resource},
};
use vas_cluster::watch::{Sink, events_in, follow, is_forbidden, warn_failed};
use vas_core::reconcile::{child::TargetKey, observed::Claim};

/// Wait before a watch that was answered with 403 Forbidden is tried again: the right may have been granted
/// since.
const REFUSED: Duration = Duration::from_secs(300);

pub(super) async fn watch(shared: Shared, kind: WatchedKind) {
    let Some(targets) = shared.caches.targets.get(&kind) else {
        return;
    };
    let resource = api_resource(kind);
    let apis = shared.scope.apis(
        || Api::<TargetObject>::all_with(shared.client.clone(), &resource),
        |namespace| Api::namespaced_with(shared.client.clone(), namespace, &resource),
    );
    // Which objects to keep is known when the resources are.
    let mut claims = shared.caches.resources.synced();
    // This wait cannot fail: the sender lives as long as the caches.
    let _ = claims.wait_for(|synced| *synced).await;
    let sink = Targets {
        shared: &shared,
        kind,
        known: targets,
    };
    let restarts = &shared.restarts;
    follow(kind.plural(), restarts, events_in(apis, Config::default()), sink).await;
}

/// Keeps the claimed objects of one kind.
struct Targets<'a> {
    shared: &'a Shared,
    kind: WatchedKind,
    known: &'a WatchedTargets,
}

impl Targets<'_> {
    /// Takes in one event of the watch if its object is claimed, and triggers the resources that claim the
    /// object if it changed.
    fn put(&self, key: &Key, known: Option<Known>) {
        self.known.goes_on();
        if is_claimed(self.shared, self.kind, &key.0, &key.1) && self.known.put(key.clone(), known) {
            trigger(self.shared, self.kind, key);
        }
    }
}

impl Sink<TargetObject> for Targets<'_> {
    /// Nothing: [`WatchedTargets`] themselves hold the list in progress, because a claim can be released, and
    /// a GET answered, while the list is read.
    type Listed = std::convert::Infallible;

    fn begin(&mut self) {
        self.known.begin(claimed(self.shared, self.kind));
    }

    fn list(&mut self, object: TargetObject) -> Option<Self::Listed> {
        let (key, known) = object.into_parts()?;
        if is_claimed(self.shared, self.kind, &key.0, &key.1) {
            self.known.list(key, known);
        }
        None
    }

    fn complete(&mut self, _: Vec<Self::Listed>) {
        for key in self.known.end() {
            trigger(self.shared, self.kind, &key);
        }
    }

    fn apply(&mut self, object: TargetObject) {
        if let Some((key, known)) = object.into_parts() {
            self.put(&key, Some(known));
        }
    }

    fn delete(&mut self, object: TargetObject) {
        if let Some((key, _)) = object.into_parts() {
            self.put(&key, None);
        }
    }

    fn failed(&mut self, watch: &str, error: &watcher::Error) -> Duration {
        if !is_forbidden(error) {
            warn_failed(watch, error);
            return Duration::ZERO;
        }
        if self.known.refuse() {
            tracing::warn!(
                kind = self.kind.as_str(),
                "the operator may not list and watch {watch}: it asks for each target, and sees a target that comes or \
                 goes late; give its ClusterRole the verbs list and watch, as manifests/install does"
            );
        }
        REFUSED
    }
}

/// Forgets the targets that no resource lays claim to any more. Called when one resource changed its claim
/// from `before` to `after`.
pub(super) fn release(shared: &Shared, namespace: &str, before: Option<&Claim>, after: Option<&Claim>) {
    let gone = before.into_iter().flat_map(|before| &before.targets);
    for target in gone.filter(|target| after.is_none_or(|after| !after.targets.contains(*target))) {
        for (kind, targets) in &shared.caches.targets {
            if let Some(name) = target.name_of(WatchedKind::GROUP, kind.as_str())
                && !is_claimed(shared, *kind, namespace, name)
            {
                targets.release(namespace, name);
            }
        }
    }
}

fn key_of(kind: WatchedKind, name: &str) -> TargetKey {
    TargetKey::new(WatchedKind::API_VERSION, kind.as_str(), name)
}

fn is_claimed(shared: &Shared, kind: WatchedKind, namespace: &str, name: &str) -> bool {
    !concern::claims_of(&shared.caches.resources, namespace, &key_of(kind, name)).is_empty()
}

/// The keys of all objects of a kind that some resource lays claim to.
fn claimed(shared: &Shared, kind: WatchedKind) -> BTreeSet<Key> {
    let mut claimed = BTreeSet::new();
    shared.caches.resources.for_each(|(namespace, _), facts| {
        let targets = facts.claim.iter().flat_map(|claim| &claim.targets);
        let names = targets.filter_map(|target| target.name_of(WatchedKind::GROUP, kind.as_str()));
        claimed.extend(names.map(|name| (namespace.clone(), name.to_owned())));
    });
    claimed
}

/// Triggers the resources that lay claim to an object.
fn trigger(shared: &Shared, kind: WatchedKind, (namespace, name): &Key) {
    if shared.triggers.are_active() {
        let claims = concern::claims_of(&shared.caches.resources, namespace, &key_of(kind, name));
        shared
            .triggers
            .trigger(namespace, claims.iter().map(|claim| claim.name.clone()));
    }
}
