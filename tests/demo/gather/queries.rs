//! The queries to Prometheus.

use std::collections::BTreeMap;

use prometheus_http_query::Client;
use serde_json::Value;

use super::young::Births;
use crate::{
    clock::Clock,
    oracle::{Moment, Reading, Sample, Track},
    workload::{ENVIRONMENT, NAMESPACE, Workload},
};

/// Time between two points of a range query, in seconds.
pub(super) const STEP: Moment = 0.5;

/// Window of the rate, as the overlay sets it.
pub(crate) const RATE_WINDOW: &str = "15s";

const REQUESTS: &str = "voiceassist_http_requests_total";
const DEPTH: &str = "voiceassist_queue_depth";
const AGE: &str = "voiceassist_queue_oldest_job_age_seconds";

/// The settings of the applied resource for its Prometheus metrics, in the demo's environment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Asked {
    /// Window of the request rate, in seconds.
    pub window: Moment,
    /// Age beyond which a sample counts as missing, in seconds.
    pub max_age: Moment,
}

impl Asked {
    /// Reads the settings from the resource, as JSON.
    pub(crate) fn of(scaling: &Value) -> Option<Self> {
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

/// A metric that the metrics server reads from Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Series {
    /// Requests per second, by pod.
    RequestRate,
    /// Number of jobs in the queue.
    QueueDepth,
    /// Age of the oldest job in seconds.
    QueueAge,
}

impl Series {
    /// All metrics of the demo.
    pub(crate) const ALL: [Self; 3] = [Self::RequestRate, Self::QueueDepth, Self::QueueAge];

    /// Name of the metric in the HPA.
    pub(crate) fn metric(self) -> &'static str {
        match self {
            Self::RequestRate => "request-rate",
            Self::QueueDepth => "queue-depth",
            Self::QueueAge => "queue-age",
        }
    }

    /// The workload whose HPA has the metric.
    pub(crate) fn workload(self) -> Workload {
        match self {
            Self::RequestRate => Workload::Gateway,
            Self::QueueDepth | Self::QueueAge => Workload::Worker,
        }
    }

    /// The query for its value. The window of the rate is that of the overlay, which the demo checks.
    pub(crate) fn query(self) -> String {
        match self {
            Self::RequestRate => format!("sum by (pod) (rate({}[{RATE_WINDOW}]))", self.selector()),
            Self::QueueDepth | Self::QueueAge => format!("max({})", self.selector()),
        }
    }

    /// The query for the time of the newest sample behind the value.
    pub(crate) fn newest(self) -> String {
        format!("max(timestamp({}))", self.selector())
    }

    fn selector(self) -> String {
        match self {
            Self::RequestRate => format!("{REQUESTS}{{namespace=\"{NAMESPACE}\"}}"),
            Self::QueueDepth => format!("{DEPTH}{{namespace=\"{NAMESPACE}\",queue=\"default\"}}"),
            Self::QueueAge => format!("{AGE}{{namespace=\"{NAMESPACE}\",queue=\"default\"}}"),
        }
    }
}

fn client(url: &str) -> Client {
    Client::try_from(url).expect("the address of Prometheus")
}

/// The value of an instant query that returns one series; `None` for no series and for no answer.
pub(crate) async fn instant(url: &str, query: &str) -> Option<f64> {
    let (data, _) = client(url).query(query).get().await.ok()?.into_inner();
    let value = data.as_vector()?.first()?.sample().value();
    value.is_finite().then_some(value)
}

/// What a reader would have got at each point of a series, until a moment.
pub(crate) async fn readings(clock: Clock, url: &str, series: Series, until: Moment) -> Track<Reading> {
    let points = range(clock, url, &series.query(), until).await;
    points
        .into_iter()
        .map(|(at, values)| (at, reading(series, at, values)))
        .collect()
}

/// The time of the newest sample at each point of a series.
pub(crate) async fn newest(clock: Clock, url: &str, series: Series, until: Moment) -> Track<Option<Moment>> {
    let points = range(clock, url, &series.newest(), until).await;
    points
        .into_iter()
        .map(|(at, values)| (at, values.into_values().next().map(|epoch| clock.of_epoch(epoch))))
        .collect()
}

/// The first sample of each pod's counter, without the pods that had one at the beginning.
pub(crate) async fn births(clock: Clock, url: &str, until: Moment) -> Births {
    let query = format!("max by (pod) (timestamp({}))", Series::RequestRate.selector());
    let mut points = range(clock, url, &query, until).await.into_iter();
    let old = points.next().map(|(_, newest)| newest).unwrap_or_default();
    let mut births = Births::new();
    for (pod, epoch) in points.flat_map(|(_, newest)| newest) {
        if !old.contains_key(&pod) {
            births.entry(pod).or_insert_with(|| clock.of_epoch(epoch));
        }
    }
    births
}

fn reading(series: Series, at: Moment, values: BTreeMap<String, f64>) -> Reading {
    #[expect(clippy::cast_possible_truncation, reason = "rates and jobs are small")]
    let milli = |value: f64| (value * 1000.0).round() as i64;
    let sample = |value| Sample {
        value: milli(value),
        at,
        window: 0.0,
    };
    let mut values = values.into_iter().peekable();
    match (series, values.peek()) {
        (_, None) => Reading::Missing,
        (Series::RequestRate, _) => {
            Reading::PerPod(values.map(|(pod, value)| (pod, sample(value))).collect())
        }
        (_, Some((_, value))) => Reading::Object(milli(*value)),
    }
}

/// All points of a range query, by the label `pod`.
async fn range(clock: Clock, url: &str, query: &str, until: Moment) -> Vec<(Moment, BTreeMap<String, f64>)> {
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

/// Index of the point at a moment.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a story has some hundred points, none before it begins"
)]
fn step(at: Moment) -> u32 {
    (at / STEP).round() as u32
}
