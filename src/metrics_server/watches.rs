//! The watches that feed the registry and the pod index, and whether each has seen a full list.
//!
//! While a watch restarts, what is known stays: a read in between must not find less than there is.

use std::collections::BTreeSet;

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use tokio::sync::watch;

use super::{
    pod_index::PodIndex,
    registry::{Registry, key_of},
};
use crate::{api::v1alpha1::VoiceAssistScaling, core::model::ScalingKey};

/// Pods that ended keep their metadata for long; no series of theirs counts any more.
const UNFINISHED: &str = "status.phase!=Succeeded,status.phase!=Failed";

/// Becomes true with the first full list, and wakes its receivers on every change.
pub type Synced = watch::Sender<bool>;

/// Follows the resources for ever, in one namespace or in all.
pub async fn scalings(client: Client, namespace: Option<&str>, registry: &Registry, synced: &Synced) {
    let api: Api<DeserializeGuard<VoiceAssistScaling>> = match namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let events = watcher(api, watcher::Config::default()).default_backoff();
    follow("voiceassistscalings", events, registry, synced).await;
}

/// Follows the pods for ever, in one namespace or in all.
pub async fn pods(client: Client, namespace: Option<&str>, index: &PodIndex, synced: &Synced) {
    let api: Api<PartialObjectMeta<Pod>> = match namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let config = watcher::Config::default().fields(UNFINISHED);
    let events = watcher(api, config).default_backoff();
    follow("pods", events, index, synced).await;
}

/// What a watch keeps up to date.
trait Index<K> {
    type Key: Ord;
    /// Takes an object in; its key, if it has one.
    fn apply(&self, object: K) -> Option<Self::Key>;
    fn remove(&self, object: K);
    /// Forgets what a full list does not hold.
    fn retain(&self, listed: &BTreeSet<Self::Key>);
}

async fn follow<K, I: Index<K>>(
    what: &'static str,
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    index: &I,
    synced: &Synced,
) {
    let mut events = std::pin::pin!(events);
    let mut listed = BTreeSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => listed.extend(index.apply(object)),
            Ok(Event::InitDone) => {
                index.retain(&listed);
                listed.clear();
                synced.send_replace(true);
            }
            Ok(Event::Apply(object)) => {
                index.apply(object);
                synced.send_modify(|_| {});
            }
            Ok(Event::Delete(object)) => {
                index.remove(object);
                synced.send_modify(|_| {});
            }
            Err(error) => tracing::warn!(what, %error, "the watch failed; trying again"),
        }
    }
}

impl Index<DeserializeGuard<VoiceAssistScaling>> for Registry {
    type Key = ScalingKey;

    fn apply(&self, object: DeserializeGuard<VoiceAssistScaling>) -> Option<ScalingKey> {
        match object.0 {
            Ok(object) => {
                Self::apply(self, &object);
                key_of(&object.metadata)
            }
            Err(invalid) => {
                let key = key_of(&invalid.metadata)?;
                tracing::warn!(scaling = %key, error = %invalid.error, "does not parse; its metrics stay as they were");
                Some(key)
            }
        }
    }

    fn remove(&self, object: DeserializeGuard<VoiceAssistScaling>) {
        let metadata = match &object.0 {
            Ok(object) => &object.metadata,
            Err(invalid) => &invalid.metadata,
        };
        if let Some(key) = key_of(metadata) {
            Self::remove(self, &key);
        }
    }

    fn retain(&self, listed: &BTreeSet<ScalingKey>) {
        Self::retain(self, |key| listed.contains(key));
    }
}

impl Index<PartialObjectMeta<Pod>> for PodIndex {
    type Key = (String, String);

    fn apply(&self, pod: PartialObjectMeta<Pod>) -> Option<Self::Key> {
        Self::apply(self, &pod.metadata);
        Some((pod.metadata.namespace?, pod.metadata.name?))
    }

    fn remove(&self, pod: PartialObjectMeta<Pod>) {
        Self::remove(self, &pod.metadata);
    }

    fn retain(&self, listed: &BTreeSet<Self::Key>) {
        Self::retain(self, |namespace, name| {
            listed.contains(&(namespace.to_owned(), name.to_owned()))
        });
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;
    use crate::core::label_selector::LabelSelector;

    fn pod(name: &str) -> PartialObjectMeta<Pod> {
        PartialObjectMeta {
            metadata: ObjectMeta {
                namespace: Some("ns".to_owned()),
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            ..PartialObjectMeta::default()
        }
    }

    async fn after(events: Vec<Event<PartialObjectMeta<Pod>>>) -> (Vec<String>, bool) {
        let (index, (synced, seen)) = (PodIndex::default(), watch::channel(false));
        follow("pods", stream::iter(events.into_iter().map(Ok)), &index, &synced).await;
        let seen = *seen.borrow();
        (index.select("ns", &LabelSelector::default()), seen)
    }

    #[tokio::test]
    async fn a_full_list_makes_it_synced_even_when_empty() {
        assert_eq!(after(vec![Event::Init]).await, (vec![], false));
        assert_eq!(after(vec![Event::Init, Event::InitDone]).await, (vec![], true));
    }

    #[tokio::test]
    async fn what_is_known_stays_while_a_watch_restarts() {
        let first = vec![
            Event::Init,
            Event::InitApply(pod("a")),
            Event::InitApply(pod("b")),
            Event::InitDone,
            Event::Init,
            Event::InitApply(pod("b")),
        ];
        assert_eq!(after(first.clone()).await.0, ["a", "b"]);
        let mut whole = first;
        whole.push(Event::InitDone);
        assert_eq!(after(whole).await.0, ["b"]);
    }
}
