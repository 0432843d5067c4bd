//! The watch that feeds the pod index, and whether a watch has received a full list.
//!
//! While a watch restarts, the known objects stay: a read in between must not find fewer objects than there
//! are.

use std::{convert::Infallible, sync::Arc};

use kube::{Api, Client, runtime::watcher::Config};
use tokio::sync::watch;
use vas_cluster::watch::{Restarts, Scope, Sink, events_in, follow};

use super::{live_pod::LivePod, pod_index::PodIndex};

/// Field selector that leaves out ended pods: they may stay for long, and their series do not count any more.
const UNFINISHED: &str = "status.phase!=Succeeded,status.phase!=Failed";

/// Becomes true with the first full list, and notifies its receivers of every change.
pub(crate) type Synced = watch::Sender<bool>;

/// Follows the pods for ever.
pub(crate) async fn pods(
    client: Client,
    scope: &Scope,
    index: Arc<PodIndex>,
    synced: Arc<Synced>,
    restarts: &Restarts,
) {
    let apis = scope.apis(
        || Api::<LivePod>::all(client.clone()),
        |namespace| Api::namespaced(client.clone(), namespace),
    );
    let events = events_in(apis, Config::default().fields(UNFINISHED));
    follow("pods", restarts, events, Pods { index, synced }).await;
}

/// Keeps the index of live pods.
struct Pods {
    index: Arc<PodIndex>,
    synced: Arc<Synced>,
}

impl Pods {
    /// Notifies whoever waits for changes.
    fn changed(&self) {
        self.synced.send_modify(|_| {});
    }
}

impl Sink<LivePod> for Pods {
    /// Nothing: the index takes in a listed pod at once and marks it. A list of all pods would take as much
    /// memory as the index.
    type Listed = Infallible;

    fn begin(&mut self) {
        self.index.begin_list();
    }

    fn list(&mut self, pod: LivePod) -> Option<Infallible> {
        self.index.apply(&pod.metadata);
        None
    }

    fn complete(&mut self, _: Vec<Infallible>) {
        self.index.end_list();
        self.synced.send_replace(true);
    }

    fn apply(&mut self, pod: LivePod) {
        self.index.apply(&pod.metadata);
        self.changed();
    }

    fn delete(&mut self, pod: LivePod) {
        self.index.remove(&pod.metadata);
        self.changed();
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
    use kube::runtime::watcher::Event;

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

    fn pods(synced: bool) -> Pods {
        Pods {
            index: Arc::default(),
            synced: Arc::new(watch::channel(synced).0),
        }
    }

    async fn show(events: Vec<Event<LivePod>>, pods: &Pods) {
        let sink = Pods {
            index: pods.index.clone(),
            synced: pods.synced.clone(),
        };
        follow(
            "pods",
            &Restarts::default(),
            stream::iter(events.into_iter().map(Ok)),
            sink,
        )
        .await;
    }

    async fn after(events: Vec<Event<LivePod>>) -> (Vec<String>, bool) {
        let pods = pods(false);
        show(events, &pods).await;
        let Pods { index, synced } = pods;
        let seen = *synced.borrow();
        (index.select("ns", &LabelSelector::default()), seen)
    }

    #[tokio::test]
    async fn a_full_list_makes_it_synced_even_when_empty() {
        assert_eq!(after(vec![Event::Init]).await, (vec![], false));
        assert_eq!(after(vec![Event::Init, Event::InitDone]).await, (vec![], true));
    }

    #[tokio::test]
    async fn a_later_list_wakes_when_it_is_complete_and_all_of_it_is_there() {
        let pods = pods(true);
        let seen = pods.synced.subscribe();
        let mut events: Vec<_> = (0..1200)
            .map(|number| Event::InitApply(pod(&format!("p{number}"))))
            .collect();
        events.insert(0, Event::Init);
        show(events, &pods).await;
        assert!(!seen.has_changed().unwrap(), "woken in the middle of a list");
        show(vec![Event::InitDone], &pods).await;
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
