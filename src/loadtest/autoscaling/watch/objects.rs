//! Watches the objects of a workload: HPA, scale target and pods, and if they exist its PodDisruptionBudget,
//! its VPA and the Events about refused pods.

use std::collections::BTreeSet;

use k8s_openapi::api::{
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{Event, Pod},
    policy::v1::PodDisruptionBudget,
};
use kube::{
    Api, Client, ResourceExt as _,
    core::{ApiResource, DynamicObject, GroupVersionKind},
    discovery,
    runtime::watcher::Config,
};
use serde_json::Value;
use tokio::task::JoinSet;

use super::{
    Notes,
    follow::{Change, follow},
};
use crate::{
    autoscaling::observer::Observer,
    cluster::resource::{Resource, Subject},
    model::scaling::Moment,
};

/// Starts all watches.
pub(super) fn watch(tasks: &mut JoinSet<()>, resource: &Resource, subject: &Subject, notes: &Notes) {
    let Resource {
        client, namespace, ..
    } = resource;
    let named = |name: &str| Config::default().fields(&format!("metadata.name={name}"));

    let hpas: Api<HorizontalPodAutoscaler> = Api::namespaced(client.clone(), namespace);
    let shared = notes.clone();
    tasks.spawn(follow(
        hpas,
        named(&subject.hpa),
        notes.clone(),
        move |at, change| {
            each(change, |hpa| shared.observer.lock().hpa(at, hpa));
        },
    ));

    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let shared = notes.clone();
    let selected = Config::default().labels(&subject.selector);
    tasks.spawn(follow(pods, selected, notes.clone(), move |at, change| {
        pod(&mut shared.observer.lock(), at, &change);
    }));

    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), namespace);
    let shared = notes.clone();
    tasks.spawn(follow(
        budgets,
        named(&subject.hpa),
        notes.clone(),
        move |at, change| each(change, |budget| shared.observer.lock().budget(at, budget)),
    ));

    let events: Api<Event> = Api::namespaced(client.clone(), namespace);
    let shared = notes.clone();
    let target = subject.target.name.clone();
    let refused = Config::default().fields("reason=FailedCreate");
    let mut news = News::default();
    tasks.spawn(follow(events, refused, notes.clone(), move |at, change| {
        for event in news.of(change) {
            refusal(&mut shared.observer.lock(), at, &event, &target);
        }
    }));

    let targets = dynamic(client, namespace, &subject.kind);
    let shared = notes.clone();
    let config = named(&subject.target.name);
    tasks.spawn(follow_dynamic(
        targets,
        config,
        notes.clone(),
        move |at, target| {
            let replicas = target.pointer("/spec/replicas").and_then(Value::as_u64);
            let replicas = replicas.and_then(|replicas| u32::try_from(replicas).ok());
            shared.observer.lock().target(at, replicas.unwrap_or(1));
        },
    ));

    let (client, namespace, config, notes) = (
        client.clone(),
        namespace.clone(),
        named(&subject.hpa),
        notes.clone(),
    );
    tasks.spawn(async move {
        // Where the kind VerticalPodAutoscaler is not installed there is nothing to watch.
        let kind = GroupVersionKind::gvk("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler");
        if let Ok((kind, _)) = discovery::oneshot::pinned_kind(&client, &kind).await {
            let shared = notes.clone();
            follow_dynamic(
                dynamic(&client, &namespace, &kind),
                config,
                notes,
                move |at, vpa| {
                    shared.observer.lock().vpa(at, vpa);
                },
            )
            .await;
        }
    });
}

fn dynamic(client: &Client, namespace: &str, kind: &ApiResource) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, kind)
}

fn each<K>(change: Change<K>, mut tell: impl FnMut(&K)) {
    match change {
        Change::All(all) => all.iter().for_each(tell),
        Change::One(one) => tell(&one),
        Change::Gone(_) => {}
    }
}

fn pod(observer: &mut Observer, at: Moment, change: &Change<Pod>) {
    match change {
        Change::All(pods) => observer.pods(at, pods),
        Change::One(pod) => observer.pod(at, pod),
        Change::Gone(pod) => observer.pod_gone(at, &pod.name_any()),
    }
}

/// Selects the Events of this test. Events that existed before it do not count. Events of a later list do
/// count if they are new: an interrupted watch would have brought them one by one.
#[derive(Default)]
struct News {
    /// UID and count of the Events that existed before the test; `None` before the first list.
    before: Option<BTreeSet<(String, i32)>>,
}

impl News {
    fn of(&mut self, change: Change<Event>) -> Vec<Event> {
        match (change, &self.before) {
            (Change::All(events), None) => {
                self.before = Some(events.iter().map(occurrence).collect());
                Vec::new()
            }
            (Change::All(events), Some(before)) => {
                let new = |event: &Event| !before.contains(&occurrence(event));
                events.into_iter().filter(new).collect()
            }
            (Change::One(event), _) => vec![event],
            (Change::Gone(_), _) => Vec::new(),
        }
    }
}

/// Identifies one occurrence: an Event that happens again keeps its UID and increments its count.
fn occurrence(event: &Event) -> (String, i32) {
    (event.uid().unwrap_or_default(), event.count.unwrap_or_default())
}

/// Notes a pod that was refused. The ReplicaSets of a target have names that begin with the target's name.
fn refusal(observer: &mut Observer, at: Moment, event: &Event, target: &str) {
    let object = &event.involved_object;
    let name = object.name.as_deref().unwrap_or_default();
    if name.starts_with(target) {
        let kind = object.kind.as_deref().unwrap_or_default().to_lowercase();
        let words = event.message.as_deref().unwrap_or_default();
        observer.refused(at, &format!("{kind}/{name}"), words);
    }
}

/// Follows objects of any kind, as JSON.
async fn follow_dynamic(
    api: Api<DynamicObject>,
    config: Config,
    notes: Notes,
    mut tell: impl FnMut(Moment, &Value),
) {
    follow(api, config, notes, move |at, change| {
        each(change, |object| {
            // This does not fail: all keys of an object are text.
            if let Ok(object) = serde_json::to_value(object) {
                tell(at, &object);
            }
        });
    })
    .await;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(uid: &str, count: i32) -> Event {
        serde_json::from_value(json!({"metadata": {"uid": uid}, "involvedObject": {}, "count": count}))
            .unwrap()
    }

    fn told(news: &mut News, change: Change<Event>) -> Vec<(String, i32)> {
        news.of(change).iter().map(occurrence).collect()
    }

    #[test]
    fn an_event_during_an_interruption_of_the_watch_is_told() {
        let mut news = News::default();
        assert!(told(&mut news, Change::All(vec![event("old", 1), event("goes-on", 1)])).is_empty());
        assert_eq!(told(&mut news, Change::One(event("a", 1))), [("a".to_owned(), 1)]);
        let all = vec![event("old", 1), event("goes-on", 2), event("missed", 1)];
        assert_eq!(
            told(&mut news, Change::All(all)),
            [("goes-on".to_owned(), 2), ("missed".to_owned(), 1)]
        );
    }
}
