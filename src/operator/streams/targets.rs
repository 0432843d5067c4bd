//! The watches of Deployments and StatefulSets. They keep the objects that are the target of a resource and
//! drop the others.

use std::{collections::BTreeSet, time::Duration};

use futures::StreamExt;
use kube::{
    Api,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};

use super::{Shared, singles::is_forbidden};
use crate::{
    cache::Key,
    concern,
    targets::{TargetObject, WatchedKind, WatchedTargets, api_resource},
};
use vas_core::reconcile::{child::TargetKey, observed::Claim};

/// Wait before a watch that was answered with 403 Forbidden is tried again: the right may have been granted
/// since.
const REFUSED: Duration = Duration::from_secs(300);

pub(super) async fn watch(shared: Shared, kind: WatchedKind) {
    let Some(targets) = shared.caches.targets.get(&kind) else {
        return;
    };
    let resource = api_resource(kind);
    let api: Api<TargetObject> = match &shared.namespace {
        Some(namespace) => Api::namespaced_with(shared.client.clone(), namespace, &resource),
        None => Api::all_with(shared.client.clone(), &resource),
    };
    let mut events = std::pin::pin!(watcher(api, watcher::Config::default()).default_backoff());
    let mut claims = shared.caches.resources.synced();
    // The watch of the resources starts at the same time, so this list may come before the claims are known.
    // Then every object of the list is kept, and the unclaimed ones are dropped at its end.
    let mut claims_are_known = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => {
                claims_are_known = *claims.borrow();
                targets.begin(claimed(&shared, kind));
            }
            Ok(Event::InitApply(object)) => {
                let (key, known) = object.into_parts();
                if !claims_are_known || is_claimed(&shared, kind, &key.0, &key.1) {
                    targets.list(key, known);
                }
            }
            Ok(Event::InitDone) => {
                if !claims_are_known {
                    // This wait cannot fail: the sender lives as long as the caches.
                    let _ = claims.wait_for(|synced| *synced).await;
                    targets.claim(claimed(&shared, kind));
                }
                for key in targets.end() {
                    trigger(&shared, kind, &key);
                }
            }
            Ok(Event::Apply(object)) => {
                targets.goes_on();
                let (key, known) = object.into_parts();
                put(&shared, kind, targets, &key, Some(known));
            }
            Ok(Event::Delete(object)) => {
                targets.goes_on();
                let (key, _) = object.into_parts();
                put(&shared, kind, targets, &key, None);
            }
            Err(error) if is_forbidden(&error) => {
                if targets.refuse() {
                    tracing::warn!(
                        kind = kind.as_str(),
                        "the operator may not list and watch {}: it asks for each target, and sees a target that comes or \
                         goes late; give its ClusterRole the verbs list and watch, as manifests/install does",
                        kind.plural()
                    );
                }
                tokio::time::sleep(REFUSED).await;
            }
            Err(error) => tracing::warn!(kind = kind.as_str(), %error, "a watch failed; trying again"),
        }
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

/// Takes in one event of the watch if its object is claimed, and triggers the resources that claim the object
/// if it changed.
fn put(
    shared: &Shared,
    kind: WatchedKind,
    targets: &WatchedTargets,
    key: &Key,
    known: Option<crate::targets::Known>,
) {
    if is_claimed(shared, kind, &key.0, &key.1) && targets.put(key.clone(), known) {
        trigger(shared, kind, key);
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
