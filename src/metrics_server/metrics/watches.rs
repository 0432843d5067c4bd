//! The watches that feed the registry and the pod index, and whether each has received a full list.
//!
//! While a watch restarts, the known objects stay: a read in between must not find fewer objects than there
//! are.

use futures::{Stream, StreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Api, Client,
    core::DeserializeGuard,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use tokio::sync::watch;

use super::{live_pod::LivePod, pod_index::PodIndex};
use crate::polling::intake::Intake;
use vas_api::v1alpha1::VoiceAssistScaling;

/// Field selector that leaves out ended pods: they may stay for long, and their series do not count any more.
const UNFINISHED: &str = "status.phase!=Succeeded,status.phase!=Failed";

/// Becomes true with the first full list, and notifies its receivers of every change.
pub(crate) type Synced = watch::Sender<bool>;

/// Follows the VoiceAssistScalings for ever, in one namespace or in all. The intake itself reports when it is
/// synced, which is later than the end of the list.
pub(crate) async fn scalings(client: Client, namespace: Option<&str>, intake: &Intake) {
    let api: Api<DeserializeGuard<VoiceAssistScaling>> = match namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let events = watcher(api, watcher::Config::default()).default_backoff();
    let (listed, _) = watch::channel(false);
    follow("voiceassistscalings", events, intake, &listed).await;
}

/// Follows the pods for ever, in one namespace or in all.
pub(crate) async fn pods(client: Client, namespace: Option<&str>, index: &PodIndex, synced: &Synced) {
    let api: Api<LivePod> = match namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let config = watcher::Config::default().fields(UNFINISHED);
    let events = watcher(api, config).default_backoff();
    follow("pods", events, index, synced).await;
}

/// A store that a watch keeps up to date.
pub(crate) trait Index<K> {
    /// What must be remembered of a full list until it is complete.
    type List;
    /// Called when a full list begins.
    fn begin_list(&self) -> Self::List;
    /// Takes in an object of the list.
    fn list(&self, list: &mut Self::List, object: K);
    /// Removes the objects that the list, which is now complete, does not hold.
    fn end_list(&self, list: Self::List);
    /// Takes in a new or changed object.
    fn apply(&self, object: K);
    /// Removes an object.
    fn remove(&self, object: K);
}

async fn follow<K, I: Index<K>>(
    what: &'static str,
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    index: &I,
    synced: &Synced,
) {
    let mut events = std::pin::pin!(events);
    let mut list = None;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => list = Some(index.begin_list()),
            Ok(Event::InitApply(object)) => {
                index.list(list.get_or_insert_with(|| index.begin_list()), object);
            }
            Ok(Event::InitDone) => {
                index.end_list(list.take().unwrap_or_else(|| index.begin_list()));
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

/// The metadata of a resource, also if the rest of it does not parse.
pub(crate) fn metadata(object: &DeserializeGuard<VoiceAssistScaling>) -> &ObjectMeta {
    match &object.0 {
        Ok(object) => &object.metadata,
        Err(invalid) => &invalid.metadata,
    }
}

impl Index<LivePod> for PodIndex {
    /// Nothing: the index itself marks the listed pods. A set of all pod names would take as much memory as
    /// the index.
    type List = ();

    fn begin_list(&self) {
        Self::begin_list(self);
    }

    fn list(&self, (): &mut (), pod: LivePod) {
        Index::apply(self, pod);
    }

    fn end_list(&self, (): ()) {
        Self::end_list(self);
    }

    fn apply(&self, pod: LivePod) {
        Self::apply(self, &pod.metadata);
    }

    fn remove(&self, pod: LivePod) {
        Self::remove(self, &pod.metadata);
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;
    use vas_core::k8s::label_selector::LabelSelector;

    fn pod(name: &str) -> LivePod {
        LivePod {
            metadata: ObjectMeta {
                namespace: Some("ns".to_owned()),
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
        }
    }

    async fn after(events: Vec<Event<LivePod>>) -> (Vec<String>, bool) {
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
    async fn a_later_list_wakes_when_it_is_complete_and_all_of_it_is_there() {
        let (index, (synced, mut seen)) = (PodIndex::default(), watch::channel(true));
        seen.mark_unchanged();
        let mut events: Vec<_> = (0..1200)
            .map(|number| Event::InitApply(pod(&format!("p{number}"))))
            .collect();
        events.insert(0, Event::Init);
        let (list, done) = (stream::iter(events.into_iter().map(Ok)), [Ok(Event::InitDone)]);
        follow("pods", list, &index, &synced).await;
        assert!(!seen.has_changed().unwrap(), "woken in the middle of a list");
        follow("pods", stream::iter(done), &index, &synced).await;
        assert!(seen.has_changed().unwrap());
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
