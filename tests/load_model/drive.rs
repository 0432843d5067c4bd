//! The clock: watches the pods and lets time pass in the model.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube::{
    Api, Client, ResourceExt as _,
    runtime::{
        WatchStreamExt as _,
        reflector::{self, Store},
        watcher,
    },
};
use tokio::task::JoinSet;
use vas::clock::{Clock as _, SystemClock};

use crate::{Error, Shared, arguments::Arguments, model::Pods, usage_patch};

/// Time between two steps of the model: far below a scrape interval.
const STEP: Duration = Duration::from_millis(100);

/// Runs until a watch or the usage writer ends, which is an error.
pub async fn drive(client: Client, arguments: &Arguments, model: Shared) -> Result<(), Error> {
    let pods = Api::<Pod>::namespaced(client.clone(), &arguments.namespace);
    let mut tasks = JoinSet::new();
    let gateways = watch(&mut tasks, &client, arguments, &arguments.gateway).await?;
    let workers = watch(&mut tasks, &client, arguments, &arguments.worker).await?;
    tasks.spawn(usage_patch::keep(pods, Arc::clone(&model)));
    let clock = SystemClock::new();
    let mut ticks = tokio::time::interval(STEP);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                model.lock().advance(clock.monotonic(), seen(&gateways), seen(&workers));
            }
            Some(ended) = tasks.join_next() => {
                ended?;
                return Err("a background task ended".into());
            }
        }
    }
}

/// Follows the pods that a Deployment's selector matches.
async fn watch(
    tasks: &mut JoinSet<()>,
    client: &Client,
    arguments: &Arguments,
    deployment: &str,
) -> Result<Store<Pod>, Error> {
    let deployments = Api::<Deployment>::namespaced(client.clone(), &arguments.namespace);
    let selector = deployments
        .get(deployment)
        .await?
        .spec
        .selector
        .match_labels
        .unwrap_or_default();
    let selector: Vec<String> = selector
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let (store, writer) = reflector::store();
    let pods = Api::<Pod>::namespaced(client.clone(), &arguments.namespace);
    let stream = watcher(pods, watcher::Config::default().labels(&selector.join(",")))
        .default_backoff()
        .reflect(writer);
    tasks.spawn(stream.for_each(|event| async {
        if let Err(error) = event {
            tracing::warn!(%error, "watching pods");
        }
    }));
    Ok(store)
}

fn seen(store: &Store<Pod>) -> Pods {
    let mut pods = Pods::default();
    for pod in store.state() {
        if pod.metadata.deletion_timestamp.is_some() {
            continue;
        }
        if is_ready(&pod) {
            pods.ready.insert(pod.name_any());
        }
        pods.live.insert(pod.name_any());
    }
    pods
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}
