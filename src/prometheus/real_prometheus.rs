//! Splitting a batched answer gives the same as querying each namespace alone, on a real Prometheus with
//! generated series.

use std::{collections::BTreeMap, time::Duration};

use crate::{Client, Limits};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use vas_api::v1alpha1::{Aggregation, MatchExpression, MatchOperator, OnMissing};
use vas_core::{
    metrics::promql::{
        Answer, ByName, LabelName, Labels, Matchers, Point, Shape, pin_namespace, quote, shape,
    },
    spec::model::{ObjectTarget, PrometheusMetric, Series},
};

use support::{eventually, exporter::Exporter, prometheus::Prometheus};

/// The parts of one series.
#[derive(Clone, Debug)]
struct Generated {
    name: String,
    namespace: String,
    pod: String,
    queue: String,
    value: f64,
}

const NAMES: [&str; 3] = ["generated_total", "or", "generated:depth"];

/// Any text, in which characters that could end a string or a matcher are more frequent than by chance.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\n".to_owned()),
        Just("\"} or vector(1) #".to_owned()),
        Just("a|b".to_owned()),
        Just(".*".to_owned()),
        Just("${x}".to_owned()),
        Just("ünïcödé 日本 \u{1f600}".to_owned()),
        "[a-z0-9-]{1,8}",
        "\\PC{1,6}",
    ];
    // Tabs and carriage returns are left out, because the text format has no escape for them.
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat().replace(['\t', '\r'], ""))
}

fn series() -> impl Strategy<Value = Vec<Generated>> {
    let namespaces = proptest::collection::vec(hostile(), 4..8);
    let queues = proptest::collection::vec(hostile(), 3);
    (namespaces, queues).prop_flat_map(|(namespaces, queues)| {
        let one = (
            proptest::sample::select(NAMES.to_vec()),
            proptest::sample::select(namespaces),
            "[a-c]",
            proptest::sample::select(queues),
            0.0..1e6f64,
        );
        let one = one.prop_map(|(name, namespace, pod, queue, value)| Generated {
            name: name.to_owned(),
            namespace,
            pod: format!("pod-{pod}"),
            queue,
            value,
        });
        proptest::collection::vec(one, 40..80)
    })
}

fn labels() -> Labels {
    let label = |name: &str| -> LabelName { name.parse().expect("a label name") };
    Labels {
        namespace: label("namespace"),
        pod: label("pod"),
        matchers: Matchers::default(),
    }
}

fn metric(series: Series) -> PrometheusMetric {
    PrometheusMetric {
        series,
        target: ObjectTarget::Value(Quantity("1".to_owned())),
        external: false,
        on_missing: OnMissing::Hold,
        max_age: Duration::from_mins(2),
        server: "default".to_owned(),
    }
}

/// Every kind of metric, over all series of a name and over those of one queue.
fn shapes(generated: &[Generated]) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for name in NAMES {
        let queues = generated
            .iter()
            .filter(|one| one.name == name)
            .map(|one| one.queue.clone());
        let mut matchers = vec![BTreeMap::new()];
        matchers.extend(
            queues
                .take(3)
                .map(|queue| BTreeMap::from([("queue".to_owned(), queue)])),
        );
        for match_labels in matchers {
            for series in [
                Series::RequestRate {
                    counter: name.to_owned(),
                    match_labels: match_labels.clone(),
                    match_expressions: vec![MatchExpression {
                        key: "queue".to_owned(),
                        operator: MatchOperator::NotIn,
                        values: vec!["no queue".to_owned(), "nor (this|one)".to_owned()],
                    }],
                    window: Duration::from_secs(10),
                },
                Series::PodGauge {
                    gauge: name.to_owned(),
                    match_labels: match_labels.clone(),
                    aggregation: Aggregation::Sum,
                },
                Series::Gauge {
                    gauge: name.to_owned(),
                    match_labels: match_labels.clone(),
                    aggregation: Aggregation::Sum,
                },
                Series::Gauge {
                    gauge: name.to_owned(),
                    match_labels,
                    aggregation: Aggregation::Max,
                },
            ] {
                shapes.push(shape(&labels(), "any", &metric(series)).expect("a shape"));
            }
        }
    }
    shapes
}

type Points = ByName<Point>;

async fn ask(client: &Client, shape: &Shape, value: &str, age: &str) -> Answer {
    let times = client.query(age).await.expect("times");
    let values = client.query(value).await.expect("values");
    Answer::join(shape, &values, &times, Duration::ZERO).expect("an answer")
}

/// The parts of an answer that do not depend on the moment of the query.
fn settled(points: Option<&Points>) -> Vec<(String, Option<String>, Option<jiff::Timestamp>)> {
    let points = points.into_iter().flat_map(Points::entries);
    points
        .map(|(pod, point)| {
            // Sums depend on the order in which series are found, so only ten digits are compared.
            let value = point.value.map(|value| format!("{value:.9e}"));
            (pod.to_owned(), value, point.sampled.map(|sampled| sampled.at))
        })
        .collect()
}

/// Queries all at once, then each namespace alone in two ways, and all at once again: between two scrapes all
/// answers must be the same.
async fn compare(client: &Client, shape: &Shape, namespaces: &[&str]) -> Result<usize, String> {
    let at_once = |answer: &Answer| -> Vec<_> {
        namespaces
            .iter()
            .map(|name| settled(answer.points.get(*name)))
            .collect()
    };
    let age = shape.age.as_deref().expect("a shared shape asks for times");
    let before = ask(client, shape, &shape.value, age).await;
    let mut alone = Vec::new();
    for namespace in namespaces {
        let matcher = format!("{{namespace={},__name__", quote(namespace));
        let bound = |query: &str| query.replacen("{__name__", &matcher, 1);
        // For one namespace Prometheus computes the number. For a batched answer vas does.
        let value = shape.value.replacen(", pod, instance)", ")", 1);
        let own = ask(client, shape, &bound(&value), &bound(age)).await;
        let part = shape.queries_for([*namespace]);
        let part_age = part.age.expect("a part asks for times");
        let part = ask(client, shape, &part.value, &part_age).await;
        assert!(
            part.points.keys().all(|name| name == namespace),
            "{:?}",
            part.points
        );
        alone.push((
            settled(own.points.get(*namespace)),
            settled(part.points.get(*namespace)),
        ));
    }
    let after = ask(client, shape, &shape.value, age).await;
    let (before, after) = (at_once(&before), at_once(&after));
    if before != after {
        return Err("a scrape came in between".to_owned());
    }
    for (namespace, (expected, (own, part))) in namespaces.iter().zip(before.iter().zip(&alone)) {
        if own != expected || part != expected {
            return Err(format!(
                "{namespace:?} of {}: {expected:?}, alone {own:?}, as a part {part:?}",
                shape.value
            ));
        }
    }
    Ok(before.iter().map(Vec::len).sum())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_split_of_a_batched_answer_equals_asking_for_each_metric_alone() {
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    let generated = series().new_tree(&mut runner).expect("series").current();
    let prometheus = Prometheus::start("answers").await;
    let exporter = Exporter::start().await;
    for one in &generated {
        let labels = [
            ("namespace", one.namespace.as_str()),
            ("pod", one.pod.as_str()),
            ("queue", one.queue.as_str()),
        ];
        exporter.set(&one.name, &labels, one.value);
    }
    prometheus.register("generated", &exporter.target());
    let client = Client::new(
        &prometheus.url(),
        Limits {
            timeout: Duration::from_secs(4),
            response_size: 1 << 20,
        },
    )
    .expect("a client");
    let namespaces: Vec<&str> = generated.iter().map(|one| one.namespace.as_str()).collect();
    let namespaces: Vec<&str> = std::collections::BTreeSet::from_iter(namespaces)
        .into_iter()
        .collect();
    let traffic = tokio::spawn({
        let generated = generated.clone();
        async move {
            loop {
                for one in &generated {
                    let labels = [
                        ("namespace", one.namespace.as_str()),
                        ("pod", one.pod.as_str()),
                        ("queue", one.queue.as_str()),
                    ];
                    exporter.add(&one.name, &labels, one.value / 100.0);
                }
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
    });
    for shape in shapes(&generated) {
        let what = format!("both ways give the same values for {}", shape.value);
        eventually(Duration::from_secs(60), &what, || async {
            match compare(&client, &shape, &namespaces).await {
                Ok(0) => Err("no values yet".to_owned()),
                outcome => outcome.map(drop),
            }
        })
        .await;
    }
    traffic.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_for_a_query_is_understood_and_what_prometheus_refuses_is_said_in_its_words() {
    let prometheus = Prometheus::start("queries").await;
    let limits = Limits {
        timeout: Duration::from_secs(4),
        response_size: 1 << 20,
    };
    let client = Client::new(&prometheus.url(), limits).expect("a client");
    let label: LabelName = "namespace".parse().expect("a label name");
    let sent =
        |query: &str| pin_namespace(query, &label, "mine").unwrap_or_else(|error| panic!("{query}: {error}"));
    for query in [
        r#"a{b=~`\d+`, c='it\'s', d!~"x|"} # ({["#,
        "sum by () (a) + ignoring () a",
        "a * 1_000 + 0x1F + 0755 + 1e-3 + 5m",
        r#"{"a.b", "c.d"=~"e.*"} or sum by ("a.b", c) (d)"#,
        r#"a / on ("b.c") group_left ("d.e") f"#,
        r#"label_replace(a, "x", "$1", "y", "(.*)-[0-9]+")"#,
        r#"sum(count_values("version", a{or="b", by = "c"}))"#,
        "max_over_time(sum(rate(a[5m] offset 1d))[10m:1m] @ end()) + absent(a @ 1.5)",
        "quantile(scalar(absent(a)), b) > bool NaN or -Inf * a",
    ] {
        let sent = sent(query);
        if let Err(error) = client.query(&sent).await {
            panic!("{query} is sent as {sent}: {error}");
        }
    }
    for (query, words) in [
        (r#"a{b=~"("}"#, "missing closing )"),
        (r#"a{b=~"x{1001}"}"#, "invalid repeat count"),
        (
            r#"label_replace(a, "x", "$1", "y", "*")"#,
            "invalid regular expression in label_replace(): *",
        ),
    ] {
        let error = client.query(&sent(query)).await.expect_err(query).to_string();
        assert!(error.contains(words), "{query}: {error}");
    }
}
