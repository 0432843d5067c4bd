//! Watches of a single cluster-wide object by name. Its state affects every resource: whether the cluster
//! serves the VPA, and whether the metrics server answers.

use std::{fmt::Debug, time::Duration};

use futures::{Stream, StreamExt};
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::{sync::watch, time::Instant};

use super::Shared;
use vas_cluster::watch::damping::Damping;

/// How the state is judged from the object.
pub(super) struct Judgement<K, T> {
    /// Name of the object.
    pub(super) name: &'static str,
    /// Judges the object; `None` means that the object does not exist.
    pub(super) judge: fn(Option<&K>) -> T,
    /// The state if the operator may not read the object, as with an account that has rights in one namespace
    /// only.
    pub(super) forbidden: T,
    /// Time for which a new state must last before it is published.
    pub(super) settle: Duration,
}

/// Publishes the state of one object, and triggers every resource when the state changed. A state that flaps
/// is [damped](Damping).
pub(super) async fn watch<K, T>(shared: Shared, judgement: Judgement<K, T>, publish: watch::Sender<Option<T>>)
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::ClusterResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + 'static,
    T: Clone + PartialEq + Debug,
{
    let api: Api<K> = Api::all(shared.client.clone());
    let config = watcher::Config::default().fields(&format!("metadata.name={}", judgement.name));
    let events = watcher(api, config).default_backoff();
    follow(events, judgement, publish, || {
        shared.triggers.trigger_all(&shared.caches.resources);
    })
    .await;
}

async fn follow<K, T: Clone + PartialEq + Debug>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    judgement: Judgement<K, T>,
    publish: watch::Sender<Option<T>>,
    trigger_all: impl Fn(),
) {
    let name = judgement.name;
    let started = Instant::now();
    let mut damping = Damping::new(judgement.settle);
    let mut events = std::pin::pin!(events);
    let mut listed = false;
    loop {
        let due = async {
            match damping.due() {
                Some(due) => tokio::time::sleep_until(started + due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = events.next() => {
                let Some(event) = event else { return };
                if let Some(judged) = judgement.of(event, &mut listed) {
                    damping.observe(judged, started.elapsed());
                }
            }
            () = due => {}
        }
        if let Some(state) = damping.tell(started.elapsed()) {
            tracing::info!(name, ?state, "changed");
            // Publish before triggering, so that the reconciles see the new state.
            publish.send_replace(Some(state));
            trigger_all();
        }
    }
}

impl<K, T: Clone> Judgement<K, T> {
    /// The state after an event; `None` if the event does not tell. `listed` is whether the list in progress
    /// has held the object so far: if not, the end of the list means that the object does not exist.
    fn of(&self, event: watcher::Result<Event<K>>, listed: &mut bool) -> Option<T> {
        match event {
            Ok(Event::Init) => {
                *listed = false;
                None
            }
            Ok(Event::InitApply(object)) => {
                *listed = true;
                Some((self.judge)(Some(&object)))
            }
            Ok(Event::InitDone) => (!*listed).then(|| (self.judge)(None)),
            Ok(Event::Apply(object)) => Some((self.judge)(Some(&object))),
            Ok(Event::Delete(_)) => Some((self.judge)(None)),
            Err(error) => {
                tracing::warn!(name = self.name, %error, "a watch failed; trying again");
                is_forbidden(&error).then(|| self.forbidden.clone())
            }
        }
    }
}

/// Whether the API server answered a list or a watch with 403 Forbidden.
pub(super) fn is_forbidden(error: &watcher::Error) -> bool {
    matches!(
        error,
        watcher::Error::InitialListFailed(kube::Error::Api(status)) | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            if status.code == 403
    )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_object_that_flaps_wakes_every_resource_a_few_times_an_hour() {
        let judgement = Judgement {
            name: "x",
            judge: |object: Option<&bool>| object.copied(),
            forbidden: None,
            settle: Duration::from_secs(10),
        };
        let events = futures::stream::unfold(0_u64, |number| async move {
            tokio::time::sleep(Duration::from_secs(15)).await;
            Some((Ok(Event::Apply(number.is_multiple_of(2))), number + 1))
        });
        let (publish, seen) = watch::channel(None);
        let woken = AtomicUsize::new(0);
        let trigger_all = || {
            woken.fetch_add(1, Ordering::Relaxed);
        };
        let following = follow(events, judgement, publish, trigger_all);
        // 240 changes.
        let _ = tokio::time::timeout(Duration::from_secs(3600), following).await;
        let woken = woken.into_inner();
        assert!((3..=13).contains(&woken), "{woken} times");
        assert!(seen.borrow().is_some());
    }
}
