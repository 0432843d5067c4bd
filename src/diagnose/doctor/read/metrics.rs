//! Reads each metric of each HPA through the API server, as the HPA controller does.

use futures::{StreamExt as _, stream};
use kube::Client;
use serde_json::Value;

use super::{
    CONCURRENT,
    reader::{late, reader},
};
use crate::doctor::{
    observed::{MetricRead, Observed},
    view,
};
use vas_cluster::{discovery::Discovery, metric_read, read::ReadError};
use vas_core::{
    hpa::metric_question::{Question, questions},
    k8s::read::{Read, Unread},
    wording::and_more,
};

/// Where one sees which groups and versions are served, for a metric that can be read at no path.
const GROUPS: &str = "/apis";

/// Every metric that is read from our APIs.
pub(super) async fn read(client: &Client, observed: &Observed) -> Vec<MetricRead> {
    let discovery = Discovery::new(reader(client));
    let reads = view::workloads(observed)
        .filter_map(|view| Some((view.hpa().ok()?, view.target().ok()?, view)))
        .flat_map(|(hpa, target, view)| {
            let (name, namespace) = (view.hpa_name(), view.scaling.key.namespace.clone());
            let asked = questions(hpa, &target.selector).into_iter();
            asked.map(move |question| (name.clone(), namespace.clone(), question))
        })
        .filter_map(|(hpa, namespace, question)| {
            let metric = question.served_metric()?.to_owned();
            let discovery = &discovery;
            Some(async move { read_one(discovery, hpa, metric, &namespace, &question).await })
        });
    let reads: Vec<_> = reads.collect();
    stream::iter(reads).buffered(CONCURRENT).collect().await
}

async fn read_one(
    discovery: &Discovery,
    hpa: String,
    metric: String,
    namespace: &str,
    question: &Question,
) -> MetricRead {
    let (path, outcome) = match metric_read::path(discovery, namespace, question).await {
        Ok(path) => {
            let outcome = values(discovery, &path).await;
            (path, outcome)
        }
        Err(error) => (GROUPS.to_owned(), Err(Unread::Failed(error.to_string()))),
    };
    MetricRead {
        hpa,
        metric,
        path,
        outcome,
    }
}

async fn values(discovery: &Discovery, path: &str) -> Read<String> {
    metric_read::read(discovery, path)
        .await
        .map(|list| summary(&list))
        .map_err(|error| match error {
            ReadError::Late(limit) => late(limit),
            // Here a 404 has words too: which metric or object nobody knows.
            ReadError::Server(status) if status.code == 403 => Unread::Forbidden(status.message),
            ReadError::Server(status) => Unread::Failed(format!("{}: {}", status.code, status.message)),
            ReadError::Client(other) => Unread::Failed(other.to_string()),
            ReadError::Unidentified(error) => Unread::Failed(error.to_string()),
        })
}

/// The value, or how many there are.
fn summary(list: &Value) -> String {
    let items = list.get("items").and_then(Value::as_array);
    let values: Vec<&str> = items
        .into_iter()
        .flatten()
        .filter_map(|item| item.get("value")?.as_str())
        .collect();
    match values.as_slice() {
        [] => "no value".to_owned(),
        [first, rest @ ..] => format!("{first}{}", and_more(rest.len())),
    }
}
