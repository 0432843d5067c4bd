//! The watches of the child kinds: ours and everybody else's, because those of others can be in the way.

use futures::StreamExt;
use kube::{
    Api,
    core::DynamicObject,
    runtime::{
        WatchStreamExt,
        watcher::{self, watcher},
    },
};

use super::{Shared, map, resources::claims};
use crate::{
    core::{
        child::{ChildKind, Live},
        observed::VpaSupport,
        wake,
    },
    operator::{
        cache::{Change, Feed},
        live::{api_resource, live},
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
    let api: Api<DynamicObject> = match &shared.namespace {
        Some(namespace) => Api::namespaced_with(shared.client.clone(), namespace, &resource),
        None => Api::all_with(shared.client.clone(), &resource),
    };
    let mut feed = Feed::new(cache.clone());
    let mut events = std::pin::pin!(watcher(api, watcher::Config::default()).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                for change in feed.handle(map(event, |object| live(kind, object))) {
                    wake(shared, kind, &change);
                }
            }
            Err(error) => tracing::warn!(%kind, %error, "a watch failed; trying again"),
        }
    }
}

fn wake(shared: &Shared, kind: ChildKind, change: &Change<Live>) {
    let namespace = &change.key.0;
    let claims = claims(shared, namespace);
    let names = wake::concerned(
        kind,
        change.before.as_deref(),
        change.after.as_deref(),
        claims.iter().map(AsRef::as_ref),
    );
    shared.triggers.wake(namespace, names);
}
