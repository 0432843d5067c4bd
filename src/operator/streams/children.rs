//! The watches of the child kinds. They follow the operator's own children and foreign objects, because a
//! foreign object can conflict with a child.

use kube::{Api, runtime::watcher::Config};

use super::Shared;
use crate::{
    cache::{Cache, Change, Key},
    concern,
    live::{Watched, api_resource},
};
use vas_cluster::watch::{Sink, events_in, follow};
use vas_core::reconcile::{
    child::{ChildKind, Live},
    drift::FieldSets,
    observed::VpaSupport,
    triggers,
};

pub(super) async fn watch(shared: Shared, kind: ChildKind) {
    if kind == ChildKind::VerticalPodAutoscaler {
        watch_while_served(&shared, kind).await;
    } else {
        watch_served(&shared, kind).await;
    }
}

/// Watches a kind while its CRD exists. A watch of a kind that the API server does not serve would fail for
/// ever.
async fn watch_while_served(shared: &Shared, kind: ChildKind) {
    let Some(cache) = shared.caches.children.get(&kind) else {
        return;
    };
    let mut support = shared.caches.vpa.clone();
    loop {
        let seen = support.borrow_and_update().clone();
        let changed = match seen {
            None => support.changed().await,
            Some(VpaSupport::Absent) => {
                // An empty cache counts as complete, so the operator becomes ready without the CRD.
                cache.clear();
                support.changed().await
            }
            Some(VpaSupport::Served { .. }) => tokio::select! {
                () = watch_served(shared, kind) => return,
                gone = support.wait_for(|support| *support == Some(VpaSupport::Absent)) => gone.map(|_| ()),
            },
        };
        if changed.is_err() {
            return;
        }
    }
}

async fn watch_served(shared: &Shared, kind: ChildKind) {
    let Some(cache) = shared.caches.children.get(&kind) else {
        return;
    };
    let resource = api_resource(kind);
    let apis = shared.scope.apis(
        || Api::<Watched>::all_with(shared.client.clone(), &resource),
        |namespace| Api::namespaced_with(shared.client.clone(), namespace, &resource),
    );
    let children = Children {
        shared,
        kind,
        cache,
        field_sets: FieldSets::default(),
    };
    let restarts = &shared.restarts;
    follow(
        kind.plural(),
        restarts,
        events_in(apis, Config::default()),
        children,
    )
    .await;
}

/// Keeps the cache of one child kind.
struct Children<'a> {
    shared: &'a Shared,
    kind: ChildKind,
    cache: &'a Cache<Live>,
    field_sets: FieldSets,
}

impl Children<'_> {
    fn compact(&mut self, object: Watched) -> Option<(Key, Live)> {
        let (key, mut live) = object.into_parts()?;
        // Children of the same shape own the same fields: one copy serves all of them.
        live.owned = self.field_sets.share(live.owned);
        if let Some(reading) = &mut live.reading
            && let Some(before) = self.cache.get(&key.0, &key.1)
            && before.uid == live.uid
            && let Some(before) = &before.reading
        {
            reading.follow(before);
        }
        Some((key, live))
    }
}

impl Sink<Watched> for Children<'_> {
    type Listed = (Key, Live);

    fn list(&mut self, object: Watched) -> Option<(Key, Live)> {
        self.compact(object)
    }

    fn complete(&mut self, listed: Vec<(Key, Live)>) {
        for change in self.cache.replace(listed) {
            trigger(self.shared, self.kind, &change);
        }
    }

    fn apply(&mut self, object: Watched) {
        if let Some((key, live)) = self.compact(object) {
            trigger(self.shared, self.kind, &self.cache.put(key, live));
        }
    }

    fn delete(&mut self, object: Watched) {
        if let Some((key, _)) = object.into_parts() {
            trigger(self.shared, self.kind, &self.cache.remove(key));
        }
    }
}

/// Triggers the resources that the change of an object of a child kind affects.
fn trigger(shared: &Shared, kind: ChildKind, change: &Change<Live>) {
    // Without the leadership nothing is lost: a new leader reconciles every resource once.
    if !shared.triggers.are_active() {
        return;
    }
    // Lazy, because `affected_by` needs the claims only when a foreign object changed.
    let claims = std::cell::LazyCell::new(|| concern::claims_beside(&shared.caches.resources, kind, change));
    let claims = std::iter::once(&claims).flat_map(|claims| claims.iter().map(AsRef::as_ref));
    let names = triggers::affected_by(kind, change.before.as_deref(), change.after.as_deref(), claims);
    shared.triggers.trigger(&change.key.0, names);
}
