//! What is asked of Prometheus.

use std::collections::BTreeMap;

use prometheus_http_query::Client;
use serde_json::Value;

use crate::{
    clock::Clock,
    oracle::{Moment, Track},
    workload::{ENVIRONMENT, NAMESPACE, Workload},
};

/// Time between two points of a range query, in seconds.
pub const STEP: Moment = 0.5;

const REQUESTS: &str = "voiceassist_http_requests_total";
const DEPTH: &str = "voiceassist_queue_depth";
const AGE: &str = "voiceassist_queue_oldest_job_age_seconds";

/// What the applied resource asks of its Prometheus metrics in the demo's environment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// Window of the request rate, in seconds.
    pub window: Moment,
    /// Age beyond which a sample counts as missing, in seconds.
    pub max_age: Moment,
}

impl Asked {
    /// Reads it from the resource itself, as JSON.
    pub fn of(scaling: &Value) -> Option<Self> {
        let named = |list: &Value, name: &str| {
            let mut items = list.as_array()?.iter();
            items.find(|item| item["name"] == name).cloned()
        };
        let environment = named(&scaling["spec"]["environments"], ENVIRONMENT)?;
        let gateway = named(&environment["workloads"], Workload::Gateway.name())?;
        let metric = named(&gateway["metrics"], "request-rate")?;
        let seconds = |value: &Value| value.as_str()?.strip_suffix('s')?.parse().ok();
        Some(Self {
            window: seconds(&metric["requestRate"]["window"])?,
            max_age: seconds(&metric["maxAge"])?,
        })
    }
}

/// Request rate by pod, queue depth and queue age. The window is that of the overlay, which the demo checks.
pub fn queries() -> [String; 3] {
    [
        format!("sum by (pod) (rate({REQUESTS}{{namespace=\"{NAMESPACE}\"}}[15s]))"),
        format!("max({DEPTH}{{namespace=\"{NAMESPACE}\",queue=\"default\"}})"),
        format!("max({AGE}{{namespace=\"{NAMESPACE}\",queue=\"default\"}})"),
    ]
}

/// The times of the newest samples behind each of the [`queries`].
pub fn timestamps() -> [String; 3] {
    [REQUESTS, DEPTH, AGE].map(|name| format!("max(timestamp({name}{{namespace=\"{NAMESPACE}\"}}))"))
}

fn client(url: &str) -> Client {
    Client::try_from(url).expect("the address of Prometheus")
}

/// The value of an instant query with one series; `None` for no series and for no answer.
pub async fn instant(url: &str, query: &str) -> Option<f64> {
    let (data, _) = client(url).query(query).get().await.ok()?.into_inner();
    let value = data.as_vector()?.first()?.sample().value();
    value.is_finite().then_some(value)
}

/// All points of a range query, by the label `pod`.
pub async fn per_pod(clock: Clock, url: &str, query: &str, until: Moment) -> Track<BTreeMap<String, f64>> {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of today")]
    let (from, to) = (clock.epoch(0.0).floor() as i64, clock.epoch(until).ceil() as i64);
    let result = client(url).query_range(query, from, to, STEP).get().await;
    let (data, _) = result.expect("Prometheus answers a range query").into_inner();
    let mut points: BTreeMap<u32, BTreeMap<String, f64>> =
        (0..=step(until)).map(|step| (step, BTreeMap::new())).collect();
    for series in data.as_matrix().into_iter().flatten() {
        let pod = series.metric().get("pod").cloned().unwrap_or_default();
        for sample in series
            .samples()
            .iter()
            .filter(|sample| sample.value().is_finite())
        {
            let at = clock.of_epoch(sample.timestamp());
            points
                .entry(step(at))
                .or_default()
                .insert(pod.clone(), sample.value());
        }
    }
    points
        .into_iter()
        .map(|(step, values)| (f64::from(step) * STEP, values))
        .collect()
}

/// Number of the point at a moment.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a story has some hundred points, none before it begins"
)]
fn step(at: Moment) -> u32 {
    (at / STEP).round() as u32
}

/// All points of a range query with at most one series.
pub async fn single(clock: Clock, url: &str, query: &str, until: Moment) -> Track<Option<f64>> {
    let points = per_pod(clock, url, query, until).await;
    points
        .points()
        .map(|(at, values)| (at, values.values().next().copied()))
        .collect()
}
