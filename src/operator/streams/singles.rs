//! Watches of one cluster-wide object by name, whose state concerns every resource.

use std::fmt::Debug;

use futures::StreamExt;
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::Shared;

/// Publishes what `judge` makes of the object called `name`, or of its absence; `forbidden` where it may not
/// be read, as with an account that has rights in one namespace only.
pub(super) async fn watch<K, T>(
    shared: Shared,
    name: &'static str,
    judge: fn(Option<&K>) -> T,
    forbidden: T,
    publish: watch::Sender<Option<T>>,
) where
    K: Resource<DynamicType = (), Scope = k8s_openapi::ClusterResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + 'static,
    T: Clone + PartialEq + Debug,
{
    let api: Api<K> = Api::all(shared.client.clone());
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut events = std::pin::pin!(watcher(api, config).default_backoff());
    let mut listed = false;
    while let Some(event) = events.next().await {
        let judged = match event {
            Ok(Event::Init) => {
                listed = false;
                None
            }
            Ok(Event::InitApply(object)) => {
                listed = true;
                Some(judge(Some(&object)))
            }
            Ok(Event::InitDone) => (!listed).then(|| judge(None)),
            Ok(Event::Apply(object)) => Some(judge(Some(&object))),
            Ok(Event::Delete(_)) => Some(judge(None)),
            Err(error) => {
                tracing::warn!(name, %error, "a watch failed; trying again");
                is_forbidden(&error).then(|| forbidden.clone())
            }
        };
        let Some(judged) = judged else { continue };
        let changed = publish.send_if_modified(|current| {
            let changed = current.as_ref() != Some(&judged);
            if changed {
                tracing::info!(name, state = ?judged, "changed");
                *current = Some(judged);
            }
            changed
        });
        if changed {
            shared.triggers.wake_all(&shared.caches.resources);
        }
    }
}

/// Whether the API server does not allow a list or a watch.
pub(super) fn is_forbidden(error: &watcher::Error) -> bool {
    matches!(
        error,
        watcher::Error::InitialListFailed(kube::Error::Api(status)) | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            if status.code == 403
    )
}
