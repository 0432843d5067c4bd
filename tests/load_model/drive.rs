//! The clock of the model: it watches the pods, or plays them, and advances the model.

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
use tokio::{sync::watch::Receiver, task::JoinSet};
use vas_cluster::clock::{Clock as _, SystemClock};

use crate::{Error, Shared, arguments::Arguments, model::Pods, service::Service, usage_patch};

/// Time between two steps of the model. It is far shorter than a scrape interval.
const STEP: Duration = Duration::from_millis(100);

/// The model, and the service that advances with it.
pub(crate) struct Clockwork {
    model: Shared,
    service: Option<Arc<Service>>,
    clock: SystemClock,
    last: Duration,
}

impl Clockwork {
    /// A clock that begins at time zero.
    pub(crate) fn new(model: Shared, service: Option<Arc<Service>>) -> Self {
        Self {
            model,
            service,
            clock: SystemClock::new(),
            last: Duration::ZERO,
        }
    }

    /// Advances the model with the pods of a cluster. Ends with an error when a watch or the usage writer
    /// ends.
    pub(crate) async fn follow(mut self, client: Client, arguments: &Arguments) -> Result<(), Error> {
        let pods = Api::<Pod>::namespaced(client.clone(), arguments.namespace());
        let mut tasks = JoinSet::new();
        let gateways = watch(&mut tasks, &client, arguments, &arguments.gateway).await?;
        let workers = watch(&mut tasks, &client, arguments, &arguments.worker).await?;
        tasks.spawn(usage_patch::keep(pods, Arc::clone(&self.model)));
        let mut ticks = tokio::time::interval(STEP);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.step(seen(&gateways), seen(&workers)),
                Some(ended) = tasks.join_next() => {
                    ended?;
                    return Err("a background task ended".into());
                }
            }
        }
    }

    /// Advances the model with `count` Ready gateway pods, for ever.
    pub(crate) async fn play(mut self, gateway: &str, mut count: Receiver<u32>) -> Result<(), Error> {
        let mut ticks = tokio::time::interval(STEP);
        loop {
            let pods = *count.borrow_and_update();
            self.step(Pods::played(gateway, pods), Pods::default());
            tokio::select! {
                _ = ticks.tick() => {}
                changed = count.changed() => changed?,
            }
        }
    }

    fn step(&mut self, gateways: Pods, workers: Pods) {
        let now = self.clock.monotonic();
        let elapsed = now.saturating_sub(self.last);
        self.last = now;
        // The model advances first, so that requests which arrive from now on are counted for the new pods.
        let ready = gateways.ready.len();
        self.model.lock().advance(now, gateways, workers);
        if let Some(service) = &self.service {
            service.set_pods(ready);
            let counts = service.counts();
            self.model.lock().observe(elapsed, counts);
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
    let deployments = Api::<Deployment>::namespaced(client.clone(), arguments.namespace());
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
    let pods = Api::<Pod>::namespaced(client.clone(), arguments.namespace());
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
