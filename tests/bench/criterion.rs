//! `cargo bench -p vas-bench`: measures the functions in which reads and polls spend their time.

#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "a program for measuring"
)]

#[path = "read_path/mod.rs"]
mod read_path;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use read_path::{HUNDRED_PODS, METRIC_SELECTOR, OBJECT, THREE_PODS};
use serde_json::json;
use vas_core::{
    k8s::{label_selector::LabelSelector, quantity},
    metrics::promql::{Answer, LabelName, pin_namespace},
};
use vas_metrics_server::metrics::{
    path,
    payload::{self, DescribedObject, MetricValue},
};
use vas_prometheus::response;

fn parsing(criterion: &mut Criterion) {
    criterion.bench_function("route of a path", |bench| {
        bench.iter(|| path::route(black_box(THREE_PODS)));
    });
    criterion.bench_function("selectors of a query", |bench| {
        bench.iter(|| path::selectors(black_box(METRIC_SELECTOR)));
    });
    let selector = "scaling.voiceassist.io/name=voiceassist,scaling.voiceassist.io/workload in (api,worker)";
    criterion.bench_function("label selector", |bench| {
        bench.iter(|| black_box(selector).parse::<LabelSelector>());
    });
}

/// The most expensive queries that are accepted, each named by what makes it expensive. An author's query is
/// bound when a resource is validated and again when it is planned. Each must take less than 5 ms.
fn queries(criterion: &mut Criterion) {
    let matchers: Vec<String> = (0..128).map(|n| format!("l{n}=~\"\\\\pL{{99}}\"")).collect();
    let matchers = matchers.join(",");
    let label: LabelName = "namespace".parse().expect("a label name");
    let within = |depth: usize, inner: &str, outer: fn(&str) -> String| {
        (0..depth).fold(inner.to_owned(), |inner, _| outer(&inner))
    };
    for (name, query) in [
        (
            "a usual one",
            "sum(rate(a{b=\"c\"}[5m])) / sum(rate(d[5m]))".to_owned(),
        ),
        (
            "128 matchers under 60 aggregations",
            within(60, &format!("a{{{matchers}}}"), |inner| format!("max({inner})")),
        ),
        (
            "parameters inside each other",
            within(20, "a", |inner| format!("quantile(scalar(max({inner})), b)")),
        ),
        ("256 operators", format!("a{}", "+a".repeat(256))),
        (
            "200 operators under 50 aggregations",
            within(50, &format!("a{}", "+a".repeat(200)), |inner| {
                format!("max({inner})")
            }),
        ),
        ("256 signs", format!("{}a", "-".repeat(256))),
        ("1,000 labels", format!("sum by ({}a) (b)", "a,".repeat(505))),
        (
            "a string of 4,000 characters",
            format!("a{{b=~\"{}\"}}", "(a|b)*".repeat(660)),
        ),
    ] {
        criterion.bench_function(&format!("query: {name}"), |bench| {
            bench.iter(|| {
                let bound = pin_namespace(black_box(&query), &label, "bench-0500");
                bound.expect("an accepted query")
            });
        });
    }
}

fn reading(criterion: &mut Criterion) {
    let memory = read_path::memory();
    let selector: LabelSelector = "scaling.voiceassist.io/name=voiceassist"
        .parse()
        .expect("a selector");
    criterion.bench_function("find a metric among 1,000 resources", |bench| {
        bench.iter(|| {
            memory
                .registry
                .find("bench-0500", black_box("queue-depth"), &selector)
        });
    });
    let pods = format!("labelSelector=app%3Dapi&{METRIC_SELECTOR}");
    for (name, path, query) in [
        ("read of an object", OBJECT, METRIC_SELECTOR),
        ("read of 3 pods", THREE_PODS, &pods),
        ("read of 100 pods", HUNDRED_PODS, &pods),
    ] {
        criterion.bench_function(name, |bench| {
            bench.iter(|| read_path::read(&memory, black_box(path), query));
        });
    }
}

fn rendering(criterion: &mut Criterion) {
    let value = |pod: usize| MetricValue {
        object: DescribedObject {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: "bench-0500".to_owned().into(),
            name: format!("api-{pod}"),
        },
        metric: "request-rate".to_owned(),
        timestamp: jiff::Timestamp::UNIX_EPOCH,
        window: None,
        value: "12500m".to_owned(),
    };
    for count in [1, 3, 100] {
        let values: Vec<MetricValue> = (0..count).map(value).collect();
        criterion.bench_function(&format!("payload of {count} values"), |bench| {
            bench.iter(|| payload::render(path::Version::V1Beta2, black_box(&values)));
        });
    }
    criterion.bench_function("quantity of a value", |bench| {
        bench.iter(|| quantity::from_measurement(black_box(1234.5678)));
    });
}

fn polling(criterion: &mut Criterion) {
    let series: Vec<_> = (0..1000)
        .map(|number| {
            let labels = json!({"namespace": format!("bench-{number:04}"), "pod": format!("api-{number}")});
            json!({"metric": labels, "value": [1_700_000_000.123, "12.5"]})
        })
        .collect();
    let body = json!({"status": "success", "data": {"resultType": "vector", "result": series}}).to_string();
    criterion.bench_function("answer of 1,000 series", |bench| {
        bench.iter(|| response::parse(black_box(body.as_bytes())));
    });
    let memory = read_path::memory();
    let vector = response::parse(body.as_bytes()).expect("an answer").vector;
    let entries = memory.registry.entries();
    let metric = entries
        .first()
        .and_then(|(_, entry)| entry.metrics.first())
        .expect("a metric");
    let shape = metric.shape.clone().expect("a shape");
    criterion.bench_function("values and times of 1,000 series joined", |bench| {
        bench.iter(|| Answer::join(&shape, black_box(&vector), &vector, std::time::Duration::ZERO));
    });
}

criterion_group!(benches, parsing, queries, reading, rendering, polling);
criterion_main!(benches);
