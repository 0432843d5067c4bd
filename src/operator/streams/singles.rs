//! Watches of a single cluster-wide object by name. Its state affects every resource: whether the cluster
//! serves the VPA, and whether the metrics server answers.

use std::{fmt::Debug, time::Duration};

use futures::Stream;
use kube::{
    Api, Resource,
    runtime::watcher::{self, Event},
};
use serde::de::DeserializeOwned;
use tokio::{sync::watch, time::Instant};

use super::Shared;
use vas_cluster::watch::{One, Restarts, damping::Damping, events, is_forbidden, named};

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
    follow(
        events(api, named(judgement.name)),
        judgement,
        publish,
        &shared.restarts,
        || {
            shared.triggers.trigger_all(&shared.caches.resources);
        },
    )
    .await;
}

async fn follow<K, T: Clone + PartialEq + Debug>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    judgement: Judgement<K, T>,
    publish: watch::Sender<Option<T>>,
    restarts: &Restarts,
    trigger_all: impl Fn(),
) {
    let (name, settle) = (judgement.name, judgement.settle);
    let (judged, source) = watch::channel(None);
    let see = One(|object: Result<Option<K>, &watcher::Error>| {
        if let Some(state) = judgement.of(object) {
            judged.send_replace(Some(state));
        }
    });
    let report = |state: T| {
        tracing::info!(name, ?state, "changed");
        // Publish before triggering, so that the reconciles see the new state.
        publish.send_replace(Some(state));
        trigger_all();
    };
    tokio::select! {
        () = vas_cluster::watch::follow(name, restarts, events, see) => {}
        () = damp(source, settle, report) => {}
    }
}

/// Reports the states of a source that are neither a blip nor one flap of many. Ends with its source.
async fn damp<T: Clone + PartialEq>(
    mut source: watch::Receiver<Option<T>>,
    settle: Duration,
    report: impl Fn(T),
) {
    let started = Instant::now();
    let mut damping = Damping::new(settle);
    loop {
        let due = async {
            match damping.due() {
                Some(due) => tokio::time::sleep_until(started + due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = source.changed() => {
                if changed.is_err() {
                    return;
                }
                if let Some(state) = source.borrow_and_update().clone() {
                    damping.observe(state, started.elapsed());
                }
            }
            () = due => {}
        }
        if let Some(state) = damping.report(started.elapsed()) {
            report(state);
        }
    }
}

impl<K, T: Clone> Judgement<K, T> {
    /// The state of the object, or of its absence; `None` if the error does not tell.
    fn of(&self, object: Result<Option<K>, &watcher::Error>) -> Option<T> {
        match object {
            Ok(object) => Some((self.judge)(object.as_ref())),
            Err(error) => is_forbidden(error).then(|| self.forbidden.clone()),
        }
    }
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
        let restarts = Restarts::default();
        let following = follow(events, judgement, publish, &restarts, trigger_all);
        // 240 changes.
        let _ = tokio::time::timeout(Duration::from_secs(3600), following).await;
        let woken = woken.into_inner();
        assert!((3..=13).contains(&woken), "{woken} times");
        assert!(seen.borrow().is_some());
    }
}
