use std::sync::mpsc::{Sender, channel};

use serde_json::json;
use tokio::{sync::watch, task::JoinHandle};

use super::*;
use vas_core::metrics::promql::{Labels, Matchers, Source};

fn scaling(namespace: &str, gauge: &str) -> DeserializeGuard<VoiceAssistScaling> {
    let object = json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"namespace": namespace, "name": "one", "uid": "1", "generation": 1},
        "spec": {"workloads": [{
            "name": "worker",
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"},
            "maxReplicas": 5,
            "metrics": [{"name": "depth", "queueDepth": {"gauge": gauge, "target": {"averageValue": "50"}}}],
        }]},
    });
    serde_json::from_value(object).unwrap()
}

fn intake() -> Intake {
    let source = Source {
        labels: Labels {
            namespace: "namespace".parse().unwrap(),
            pod: "pod".parse().unwrap(),
            matchers: Matchers::default(),
        },
        bind_queries: true,
    };
    let sources = [("default".to_owned(), source)].into_iter().collect();
    Intake::new(
        Arc::new(Registry::new(sources)),
        Arc::default(),
        Arc::new(watch::channel(false).0),
    )
}

fn queries(intake: &Intake) -> Vec<String> {
    let entries = intake.registry.entries();
    let metrics = entries.iter().flat_map(|(_, entry)| &entry.metrics);
    metrics
        .map(|metric| metric.shape.as_ref().unwrap().value.clone())
        .collect()
}

impl Intake {
    /// Takes in a list of one resource in each of these namespaces.
    fn take_list(&mut self, namespaces: &[&str]) {
        let listed = namespaces
            .iter()
            .map(|namespace| self.list(scaling(namespace, "g")));
        let listed = listed.flatten().collect();
        self.complete(listed);
    }
}

/// Occupies the turn of a namespace until the returned sender is used.
fn busy(intake: &Intake, namespace: &'static str) -> (Sender<()>, JoinHandle<()>) {
    let (release, released) = channel();
    let queue = intake.queue.clone();
    let work = async move {
        let ended = queue.run(namespace, move || released.recv());
        ended.await.unwrap().unwrap();
    };
    (release, tokio::spawn(work))
}

/// Waits until all that a namespace has in the queue is judged.
async fn done(intake: &Intake, namespace: &str) {
    intake.queue.run(namespace, || ()).await.unwrap();
}

#[tokio::test]
async fn of_several_changes_the_latest_is_judged_and_what_was_removed_meanwhile_is_not() {
    let mut intake = intake();
    let (release, busy) = busy(&intake, "a");
    tokio::task::yield_now().await;
    for gauge in ["first", "second"] {
        intake.apply(scaling("a", gauge));
    }
    tokio::task::yield_now().await;
    assert_eq!(queries(&intake), [] as [String; 0]);
    release.send(()).unwrap();
    busy.await.unwrap();
    done(&intake, "a").await;
    assert_eq!(
        queries(&intake),
        ["max by (namespace, pod, instance) ({__name__=\"second\"})"]
    );

    let (release, busy) = self::busy(&intake, "b");
    tokio::task::yield_now().await;
    intake.apply(scaling("b", "third"));
    intake.delete(scaling("b", "third"));
    release.send(()).unwrap();
    busy.await.unwrap();
    done(&intake, "b").await;
    assert_eq!(queries(&intake).len(), 1);
}

#[tokio::test]
async fn a_list_is_taken_in_when_all_of_it_is_judged() {
    let mut intake = intake();
    let mut synced = intake.synced.subscribe();
    let (release, busy) = busy(&intake, "a");
    tokio::task::yield_now().await;
    intake.take_list(&["a", "b"]);
    done(&intake, "b").await;
    assert!(!*synced.borrow_and_update());
    release.send(()).unwrap();
    busy.await.unwrap();
    synced.wait_for(|synced| *synced).await.unwrap();
    assert_eq!(queries(&intake).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_takes_long_does_not_keep_the_others_from_being_served() {
    let mut intake = intake();
    let mut synced = intake.synced.subscribe();
    let (release, busy) = busy(&intake, "a");
    tokio::task::yield_now().await;
    intake.take_list(&["a"]);
    tokio::task::yield_now().await;
    assert!(!*synced.borrow_and_update());
    tokio::time::advance(JUDGED_WITHIN).await;
    synced.wait_for(|synced| *synced).await.unwrap();
    assert_eq!(queries(&intake), [] as [String; 0]);
    release.send(()).unwrap();
    busy.await.unwrap();
}
