//! The polls, about once a second: usage, custom metrics, the load model and Prometheus.

use std::{collections::BTreeMap, time::Duration};

use axum::http;
use kube::Client;
use serde_json::Value;

use crate::{
    clock::Clock,
    gather::{self, Series},
    load::Steering,
    oracle::Moment,
    record::{Shared, Values},
    workload::{NAMESPACE, SCALING, Workload},
};

const PERIOD: Duration = Duration::from_secs(1);

/// Polls usage from metrics.k8s.io. A change gets the time of the poll before the one that found it, because
/// it may have been there since then.
pub(super) async fn usage(clock: Clock, client: Client, record: Shared) {
    let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods");
    let mut before: Moment = clock.now();
    let mut ticks = ticks(PERIOD);
    loop {
        ticks.tick().await;
        let asked = clock.now();
        if let Some(list) = get(&client, &path).await {
            record.lock().usage.push(before, gather::usage(clock, &list));
        }
        before = asked;
    }
}

/// Polls custom.metrics.k8s.io, which the HPA controller reads.
pub(super) async fn served(clock: Clock, client: Client, record: Shared) {
    let base = format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/{NAMESPACE}");
    let selector = |workload: Workload| {
        format!(
            "metricLabelSelector={}%3D{SCALING}%2C{}%3D{}",
            vas_api::LABEL_SCALING.replace('/', "%2F"),
            vas_api::LABEL_WORKLOAD.replace('/', "%2F"),
            workload.name()
        )
    };
    let rate = format!(
        "{base}/pods/*/request-rate?labelSelector=app%3Dapi-gateway&{}",
        selector(Workload::Gateway)
    );
    let object = |metric: &str| {
        format!(
            "{base}/deployments.apps/worker/{metric}?{}",
            selector(Workload::Worker)
        )
    };
    let (depth, age) = (object("queue-depth"), object("queue-age"));
    let mut ticks = ticks(PERIOD / 2);
    loop {
        ticks.tick().await;
        let asked = clock.now();
        let (rate, depth, age) = tokio::join!(get(&client, &rate), get(&client, &depth), get(&client, &age));
        let [rate, depth, age] = [rate, depth, age].map(|list| average(&list?));
        let values = Values { rate, depth, age };
        record.lock().served.push(asked, values);
    }
}

/// Polls the load.
pub(super) async fn offered(clock: Clock, load: Steering, record: Shared) {
    let mut ticks = ticks(PERIOD);
    loop {
        ticks.tick().await;
        if let Some(offered) = load.offered().await {
            record.lock().offered.push(clock.now(), offered);
        }
    }
}

/// Polls the values in Prometheus.
pub(super) async fn prometheus(clock: Clock, url: String, record: Shared) {
    let [rate, depth, age] = Series::ALL.map(Series::query);
    let mut ticks = ticks(PERIOD / 2);
    loop {
        ticks.tick().await;
        let values = Values {
            rate: gather::instant(&url, &format!("avg({rate})")).await,
            depth: gather::instant(&url, &depth).await,
            age: gather::instant(&url, &age).await,
        };
        record.lock().prometheus.push(clock.now(), values);
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

/// Reads a path with a deadline. The client retries a 503, which is the answer for a missing metric, for
/// longer than a poll may take.
async fn get(client: &Client, path: &str) -> Option<Value> {
    let request = http::Request::get(path).body(Vec::new()).ok()?;
    let answer = tokio::time::timeout(PERIOD, client.request(request)).await;
    answer.ok()?.ok()
}

/// Average of a `MetricValueList`.
fn average(list: &Value) -> Option<f64> {
    let items = list["items"].as_array()?;
    let values: BTreeMap<usize, f64> = items
        .iter()
        .filter_map(|item| gather::milli(item["value"].as_str()?))
        .map(gather::units)
        .enumerate()
        .collect();
    let count = f64::from(u32::try_from(values.len()).ok()?);
    (count > 0.0).then(|| values.values().sum::<f64>() / count)
}
