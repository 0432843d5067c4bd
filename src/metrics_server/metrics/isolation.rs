//! No request, however it is made, reads data of another namespace than the one in its path.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use proptest::prelude::*;
use serde_json::json;

use super::{
    past::with_past,
    path::{self, Route},
    reads::{Memory, Now},
    registry::Registry,
};
use vas_core::metrics::promql::{Answer, ByName, Item, Labels, Matchers, Source, Sources};

const NOW: Duration = Duration::from_secs(1000);
/// Each namespace with its lowest value: values below 1,000 belong to the first one, the others to the second
/// one.
const NAMESPACES: [(&str, f64); 2] = [("mine", 1.0), ("other", 1000.0)];

fn memory() -> Memory {
    let source = Source {
        labels: Labels {
            namespace: "namespace".parse().unwrap(),
            pod: "pod".parse().unwrap(),
            matchers: Matchers::default(),
        },
        bind_queries: true,
    };
    let sources: Sources = [("default".to_owned(), source)].into_iter().collect();
    let memory = Memory {
        registry: Arc::new(Registry::new(sources)),
        store: Arc::default(),
        pods: Arc::default(),
        resource_names: Arc::default(),
        external_metrics: true,
    };
    for (namespace, _) in NAMESPACES {
        let workload = |name: &str, metric: serde_json::Value| {
            json!({
                "name": name, "maxReplicas": 5, "metrics": [metric],
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            })
        };
        let target = json!({"averageValue": "50"});
        let scaling = serde_json::from_value(json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
            "metadata": {"namespace": namespace, "name": "voiceassist", "uid": "1", "generation": 1},
            "spec": {"workloads": [
                workload("gateway", json!({"name": "rate", "requestRate": {"counter": "requests_total", "target": target}})),
                workload("worker", json!({"name": "depth", "queueDepth": {"gauge": "depth", "target": target}})),
                workload("sender", json!({"name": "sum", "external": true, "queueDepth": {"gauge": "sum", "target": target}})),
            ]},
        }));
        memory.registry.apply(&scaling.unwrap());
        for pod in ["gateway-a", namespace] {
            memory.pods.apply(&ObjectMeta {
                namespace: Some(namespace.to_owned()),
                name: Some(pod.to_owned()),
                labels: Some(BTreeMap::from([("app".to_owned(), namespace.to_owned())])),
                ..ObjectMeta::default()
            });
        }
    }
    answer(&memory);
    memory
}

/// Every answer holds the series of both namespaces, as answers of Prometheus do.
fn answer(memory: &Memory) {
    let item = |namespace: &str, pod: &str, value: f64| Item {
        labels: ByName::from([("namespace", namespace.into()), ("pod", pod.into())]),
        time: 100.0,
        value,
    };
    for (_, entry) in memory.registry.entries() {
        for metric in &entry.metrics {
            let shape = metric.shape.clone().unwrap();
            let pods = |namespace: &str| -> Vec<String> {
                if metric.describes_pods() {
                    vec!["gateway-a".to_owned(), namespace.to_owned()]
                } else {
                    vec![String::new()]
                }
            };
            let all = |value: &dyn Fn(f64) -> f64| -> Vec<Item> {
                let of = |(namespace, first): (&str, f64)| -> Vec<Item> {
                    let pods = pods(namespace);
                    pods.iter()
                        .map(|pod| item(namespace, pod, value(first)))
                        .collect()
                };
                NAMESPACES.into_iter().flat_map(of).collect()
            };
            let joined = Answer::join(&shape, &all(&|first| first), &all(&|_| 98.0), NOW);
            let joined = joined.map(|answer| with_past(answer, &shape));
            let joined = joined.map_err(|_| unreachable!());
            memory.store.record(&shape, joined, &memory.pods);
        }
    }
}

/// The values that a request reads; none if the request is refused.
fn read(memory: &Memory, path: &str, query: &str) -> Vec<String> {
    let now = Now {
        wall: Timestamp::UNIX_EPOCH,
        monotonic: NOW,
    };
    let (Ok(route), Ok(selectors)) = (path::route(path), path::selectors(query)) else {
        return Vec::new();
    };
    match route {
        Route::Metric(path) => {
            let values = memory.read(&path, &selectors, now).unwrap_or_default();
            values.into_iter().map(|value| value.value).collect()
        }
        Route::Namespace(path) => {
            let value = memory.read_namespace(&path, &selectors, now);
            value.into_iter().map(|value| value.value).collect()
        }
        Route::External(path) => {
            let value = memory.read_external(&path, &selectors, now);
            value.into_iter().map(|value| value.value).collect()
        }
        _ => Vec::new(),
    }
}

/// The namespace as kube-apiserver and RBAC see it: the decoded segment after `namespaces`.
fn named(path: &str) -> Option<String> {
    let segment = path.split('/').nth(5)?;
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

const CUSTOM: &str = "apis/custom.metrics.k8s.io/v1beta2/namespaces/mine";
const READS: [&str; 5] = [
    "apis/custom.metrics.k8s.io/v1beta2/namespaces/mine/pods/*/rate",
    "apis/custom.metrics.k8s.io/v1beta1/namespaces/mine/pods/gateway-a/rate",
    "apis/custom.metrics.k8s.io/v1beta2/namespaces/mine/deployments.apps/worker/depth",
    "apis/custom.metrics.k8s.io/v1beta2/namespaces/mine/metrics/depth",
    "apis/external.metrics.k8s.io/v1beta1/namespaces/mine/sum",
];

#[test]
fn each_namespace_reads_its_own_values() {
    let memory = memory();
    for path in READS {
        for (namespace, first) in NAMESPACES {
            let path = format!("/{}", path.replace("mine", namespace));
            let values = read(&memory, &path, "");
            assert!(!values.is_empty(), "{path}");
            assert!(
                values.iter().all(|value| *value == first.to_string()),
                "{path}: {values:?}"
            );
        }
    }
    assert_eq!(
        named(&format!("/{CUSTOM}/metrics/depth")).as_deref(),
        Some("mine")
    );
    assert_eq!(named("/apis/x/y/namespaces/%6dine/z").as_deref(), Some("mine"));
}

/// Segments with a meaning, and segments that try to escape from the namespace.
fn segment() -> impl Strategy<Value = String> {
    let known = [
        "mine",
        "other",
        "%6dine",
        "%6Fther",
        "mine%2Fother",
        "mine%00",
        "other%20",
        "..",
        ".",
        "",
        "%2e%2e",
        "%2F",
        "*",
        "%2A",
        "pods",
        "namespaces",
        "metrics",
        "rate",
        "depth",
        "sum",
        "deployments.apps",
        "worker",
        "gateway-a",
        "v1beta1",
        "v1beta2",
        "custom.metrics.k8s.io",
        "external.metrics.k8s.io",
        "mine/other",
        "..%2Fother",
        "mine;other",
    ];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

/// A path of a valid read in which some segments are replaced, inserted and removed.
fn path() -> impl Strategy<Value = String> {
    let edits = prop::collection::vec((0..10_usize, 0..3_u8, segment()), 0..4);
    (prop::sample::select(READS.to_vec()), edits).prop_map(|(path, edits)| {
        let mut segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        for (at, kind, segment) in edits {
            let at = at % (segments.len() + 1);
            match kind {
                0 => segments.insert(at, segment),
                1 if at < segments.len() => segments[at] = segment,
                _ if at < segments.len() => drop(segments.remove(at)),
                _ => {}
            }
        }
        format!("/{}", segments.join("/"))
    })
}

fn query() -> impl Strategy<Value = String> {
    let selector = prop::sample::select(vec![
        "",
        "app=mine",
        "app=other",
        "app%20in%20(mine,other)",
        "!app",
        "app",
        "namespace=other",
        "scaling.voiceassist.io/name=voiceassist",
        "scaling.voiceassist.io/workload%20notin%20(x)",
        "metadata.namespace=other",
        "kubernetes.io/metadata.name=other",
        "%2F",
        "..",
    ]);
    let key = prop::sample::select(vec![
        "labelSelector",
        "metricLabelSelector",
        "namespace",
        "fieldSelector",
    ]);
    prop::collection::vec((key, selector), 0..4).prop_map(|pairs| {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        pairs.join("&")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn no_request_reads_another_namespaces_data_than_its_path_names(path in path(), query in query()) {
        thread_local!(static MEMORY: Memory = memory());
        let values = MEMORY.with(|memory| read(memory, &path, &query));
        let named = named(&path);
        for value in values {
            let owner = NAMESPACES.iter().rev().find(|(_, first)| value.parse::<f64>().unwrap() >= *first);
            prop_assert_eq!(owner.map(|(name, _)| *name), named.as_deref(), "{} {} read {}", path, query, value);
        }
    }
}
