//! The watches of the child kinds: ours and everybody else's, because those of others can be in the way.

use futures::StreamExt;
use kube::{
    Api,
    runtime::{
        WatchStreamExt,
        watcher::{self, watcher},
    },
};

use super::{Shared, map};
use crate::{
    cluster::watch::cache::{Change, Feed},
    core::reconcile::{
        child::{ChildKind, Live},
        drift::FieldSets,
        observed::VpaSupport,
        triggers,
    },
    operator::{
        concern,
        live::{Watched, api_resource},
    },
};

pub(super) async fn watch(shared: Shared, kind: ChildKind) {
    if kind == ChildKind::VerticalPodAutoscaler {
        watch_while_served(&shared, kind).await;
    } else {
        watch_served(&shared, kind).await;
    }
}

/// A watch of a kind that is not served would fail for ever: it runs only while the CRD is there.
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
    let api: Api<Watched> = match &shared.namespace {
        Some(namespace) => Api::namespaced_with(shared.client.clone(), namespace, &resource),
        None => Api::all_with(shared.client.clone(), &resource),
    };
    let mut feed = Feed::new(cache.clone());
    let mut field_sets = FieldSets::default();
    let mut events = std::pin::pin!(watcher(api, watcher::Config::default()).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                let event = map(event, |object: Watched| {
                    let (key, mut live) = object.into_parts();
                    live.owned = field_sets.share(live.owned);
                    (key, live)
                });
                for change in feed.handle(event) {
                    wake(shared, kind, &change);
                }
            }
            Err(error) => tracing::warn!(%kind, %error, "a watch failed; trying again"),
        }
    }
}

fn wake(shared: &Shared, kind: ChildKind, change: &Change<Live>) {
    // A new leader looks at everything.
    if !shared.triggers.are_active() {
        return;
    }
    // Looked for only where somebody else's object changed.
    let claims = std::cell::LazyCell::new(|| concern::claims_beside(&shared.caches.resources, kind, change));
    let claims = std::iter::once(&claims).flat_map(|claims| claims.iter().map(AsRef::as_ref));
    let names = triggers::concerned(kind, change.before.as_deref(), change.after.as_deref(), claims);
    shared.triggers.wake(&change.key.0, names);
}
