//! The memory of the pods, read every few seconds from `metrics.k8s.io`, which itself looks every 15 s.

use std::time::Duration;

use kube::Client;
use serde_json::Value;
use tokio::task::JoinSet;

use super::Notes;
use crate::{
    core::doctor::hpa_read::encode,
    loadtest::cluster::{
        error::{ClusterError, answer},
        resource::{Resource, Subject},
    },
};

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(15);

/// Begins to read it. A look that fails is one less.
pub(super) fn watch(tasks: &mut JoinSet<()>, resource: &Resource, subject: &Subject, notes: &Notes) {
    let path = format!(
        "/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods?labelSelector={}",
        encode(&resource.namespace),
        encode(&subject.selector)
    );
    let (client, notes) = (resource.client.clone(), notes.clone());
    tasks.spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Ok(usage) = read(&client, &path).await {
                notes.observer.lock().usage(notes.now(), &usage);
            }
        }
    });
}

async fn read(client: &Client, path: &str) -> Result<Value, ClusterError> {
    let what = "read the memory of the pods";
    let request = hyper::Request::get(path).body(Vec::new());
    let request = request.map_err(|error| ClusterError::Api {
        what: what.to_owned(),
        source: kube::Error::HttpError(error),
    })?;
    answer(what, client.request(request)).await
}
