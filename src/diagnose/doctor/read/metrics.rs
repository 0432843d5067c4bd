//! Reads each metric of each HPA through the API server, as the HPA controller does.

use futures::{StreamExt as _, stream};
use hyper::Request;
use kube::Client;
use serde_json::Value;

use super::{CONCURRENT, reader::TIME_LIMIT};
use crate::{
    core::hpa::metric_reads,
    diagnose::doctor::{
        observed::{MetricRead, Observed, Read, Unread},
        view,
    },
};

/// Every metric that is read from our APIs.
pub(super) async fn read(client: &Client, observed: &Observed) -> Vec<MetricRead> {
    let wanted: Vec<(String, String, String)> = view::workloads(observed)
        .filter_map(|view| Some((view.hpa_name(), view.hpa().ok()?, view.target().ok()?)))
        .flat_map(|(name, hpa, target)| {
            let paths = metric_reads::paths(hpa, target).into_iter();
            paths.map(move |(metric, path)| (name.clone(), metric, path))
        })
        .collect();
    let reads = wanted.into_iter().map(|(hpa, metric, path)| async move {
        let outcome = values(client, &path).await;
        MetricRead {
            hpa,
            metric,
            path,
            outcome,
        }
    });
    stream::iter(reads).buffered(CONCURRENT).collect().await
}

async fn values(client: &Client, path: &str) -> Read<String> {
    let request = Request::get(path).body(Vec::new());
    let request = request.map_err(|error| Unread::Failed(error.to_string()))?;
    match tokio::time::timeout(TIME_LIMIT, client.request::<Value>(request)).await {
        Err(_) => Err(Unread::Failed(format!(
            "no answer within {}s",
            TIME_LIMIT.as_secs()
        ))),
        Ok(Ok(list)) => Ok(summary(&list)),
        // Here a 404 has words too: which metric or object nobody knows.
        Ok(Err(kube::Error::Api(status))) if status.code == 403 => Err(Unread::Forbidden(status.message)),
        Ok(Err(kube::Error::Api(status))) => {
            Err(Unread::Failed(format!("{}: {}", status.code, status.message)))
        }
        Ok(Err(other)) => Err(Unread::Failed(other.to_string())),
    }
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
        [one] => (*one).to_owned(),
        [first, ..] => format!("{first} and {} more", values.len() - 1),
    }
}
