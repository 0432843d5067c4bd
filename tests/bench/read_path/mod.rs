//! The read path without a network: from the path of a URL, as the router takes it, to the bytes of the
//! answer. The criterion benches and the count of instructions share it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::json;
use vas_api::v1alpha1::VoiceAssistScaling;
use vas_core::{
    metrics::promql::{Answer, History, Item, Labels, Matchers, Shape, Source, Sources, Track, history_step},
    spec::model::ScalingKey,
};
use vas_metrics_server::metrics::{
    path::{self, Route},
    payload,
    reads::{Memory, Now},
    registry::Registry,
};

/// Number of resources, each in a namespace of its own.
pub(crate) const RESOURCES: usize = 1000;
/// Monotonic time of Prometheus' answers and of the reads.
const NOW: Duration = Duration::from_secs(1000);
/// The namespace with 100 pods; all others have three.
const LARGE: usize = 7;

/// A read of one number.
pub(crate) const OBJECT: &str =
    "/apis/custom.metrics.k8s.io/v1beta2/namespaces/bench-0500/deployments.apps/api/queue-depth";
/// A read of three pods.
pub(crate) const THREE_PODS: &str =
    "/apis/custom.metrics.k8s.io/v1beta2/namespaces/bench-0500/pods/*/request-rate";
/// A read of a hundred pods.
pub(crate) const HUNDRED_PODS: &str =
    "/apis/custom.metrics.k8s.io/v1beta2/namespaces/bench-0007/pods/*/request-rate";
/// The selectors that the HPAs of `vas operator` carry.
pub(crate) const METRIC_SELECTOR: &str = "metricLabelSelector=scaling.voiceassist.io%2Fname%3Dvoiceassist%2Cscaling.voiceassist.io%2Fworkload%3Dapi";

/// The one Prometheus of all resources.
fn sources() -> Sources {
    let labels = Labels {
        namespace: "namespace".parse().expect("a label name"),
        pod: "pod".parse().expect("a label name"),
        matchers: Matchers::default(),
    };
    let source = Source {
        labels,
        bind_queries: true,
    };
    Sources::from_iter([("default".to_owned(), source)])
}

/// Memory of a metrics server with 1,000 resources, and an answer to each of its queries.
pub(crate) fn memory() -> Memory {
    let memory = Memory {
        registry: Arc::new(Registry::new(sources())),
        store: Arc::default(),
        pods: Arc::default(),
        resource_names: Arc::default(),
        external_metrics: true,
    };
    let mut rates = Vec::new();
    let mut depths = Vec::new();
    for number in 0..RESOURCES {
        let namespace = namespace(number);
        memory.registry.apply(&scaling(&namespace));
        depths.push(item(&namespace, None, 7.0));
        for pod in 0..if number == LARGE { 100 } else { 3 } {
            let name = format!("api-{pod}");
            memory.pods.apply(&ObjectMeta {
                namespace: Some(namespace.clone()),
                name: Some(name.clone()),
                labels: Some(BTreeMap::from([("app".to_owned(), "api".to_owned())])),
                ..ObjectMeta::default()
            });
            rates.push(item(&namespace, Some(&name), 12.5));
        }
    }
    let key = ScalingKey {
        namespace: namespace(0),
        name: "voiceassist".to_owned(),
    };
    let entries = memory.registry.entries();
    let (_, entry) = entries
        .iter()
        .find(|(known, _)| *known == key)
        .expect("the first resource");
    for metric in &entry.metrics {
        let shape = metric.shape.clone().expect("a shape");
        let values = if metric.describes_pods() { &rates } else { &depths };
        let times: Vec<Item> = values
            .iter()
            .map(|item| Item {
                value: item.time - 1.0,
                ..item.clone()
            })
            .collect();
        let mut answer = Answer::join(&shape, values, &times, NOW).expect("an answer");
        let histories = History::join(&shape.labels, &past(&shape, values));
        let known = histories
            .into_iter()
            .map(|(namespace, history)| (namespace, Some(history)));
        answer.histories.extend(known);
        memory.store.record(&shape, Ok(answer), &memory.pods);
    }
    memory
}

/// Earlier samples: every pod had one every five seconds, so that rates are known to be complete.
fn past(shape: &Shape, values: &[Item]) -> Vec<Track> {
    let Some(step) = shape.window.map(|window| history_step(window).as_secs_f64()) else {
        return Vec::new();
    };
    let track = |item: &Item| {
        let newest = item.time - 1.0;
        let moments = (0..33).rev().map(|back| item.time - f64::from(back) * step);
        let points = moments.map(|at| (at, newest - ((newest - at).max(0.0) / 5.0).ceil() * 5.0));
        Track {
            labels: item.labels.clone(),
            points: points.collect(),
        }
    };
    values.iter().map(track).collect()
}

/// Answers a read; panics unless it has a value.
pub(crate) fn read(memory: &Memory, path: &str, query: &str) -> usize {
    let Ok(Route::Metric(metric)) = path::route(path) else {
        panic!("{path} is a metric");
    };
    let selectors = path::selectors(query).expect("selectors");
    let now = Now {
        wall: Timestamp::UNIX_EPOCH,
        monotonic: NOW,
    };
    let values = memory.read(&metric, &selectors, now).expect("a value");
    payload::render(metric.version, &values).len()
}

fn namespace(number: usize) -> String {
    format!("bench-{number:04}")
}

fn scaling(namespace: &str) -> VoiceAssistScaling {
    serde_json::from_value(json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"namespace": namespace, "name": "voiceassist", "uid": "1", "generation": 1},
        "spec": {"workloads": [{
            "name": "api",
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            "maxReplicas": 5,
            "metrics": [
                {"name": "request-rate", "requestRate": {"counter": "requests_total", "target": {"averageValue": "100"}}},
                {"name": "queue-depth", "queueDepth": {"gauge": "depth", "target": {"averageValue": "50"}}},
            ],
        }]},
    }))
    .expect("a resource")
}

fn item(namespace: &str, pod: Option<&str>, value: f64) -> Item {
    let pod = pod.map(|pod| ("pod", pod.into()));
    let labels = [("namespace", namespace.into())].into_iter().chain(pod);
    Item {
        labels: labels.collect(),
        time: 100.0,
        value,
    }
}
