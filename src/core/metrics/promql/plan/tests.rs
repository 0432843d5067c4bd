use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use promql_parser::parser;
use proptest::prelude::*;

use super::*;
use crate::{
    metrics::promql::{Answer, Claim, Grouping, Item, Matchers, ShapeLimits, allot},
    spec::model::{ObjectTarget, Series},
};
use vas_api::v1alpha1::{Aggregation, OnMissing};

fn source(bind_queries: bool) -> Source {
    Source {
        labels: Labels {
            namespace: "namespace".parse().unwrap(),
            pod: "pod".parse().unwrap(),
            matchers: Matchers::default(),
        },
        bind_queries,
    }
}

fn sources() -> Sources {
    [("default", true), ("central", false)]
        .map(|(name, bind)| (name.to_owned(), source(bind)))
        .into_iter()
        .collect()
}

fn metric(server: &str, series: Series) -> PrometheusMetric {
    PrometheusMetric {
        series,
        target: ObjectTarget::Value(Quantity("1".to_owned())),
        on_missing: OnMissing::Hold,
        max_age: Duration::from_mins(2),
        server: server.to_owned(),
        external: false,
    }
}

fn depth() -> Series {
    Series::Gauge {
        gauge: "depth".to_owned(),
        match_labels: BTreeMap::new(),
        aggregation: Aggregation::Max,
    }
}

fn query(text: &str) -> Series {
    Series::Query {
        query: text.to_owned(),
    }
}

#[test]
fn resources_that_differ_in_namespace_alone_ask_once() {
    let sources = sources();
    let wanted: Vec<(String, Arc<Shape>)> = (0..1000)
        .map(|n| {
            let namespace = format!("ns-{}", n % 500);
            let shape = sources.shape(&namespace, &metric("default", depth())).unwrap();
            (namespace, Arc::new(shape))
        })
        .collect();
    let claims = wanted.iter().map(|(namespace, shape)| Claim {
        created: Timestamp::UNIX_EPOCH,
        namespace,
        name: "voiceassist",
        workload: "worker",
        metric: "depth",
        shape,
    });
    let plan = allot(claims, ShapeLimits::default()).plan;
    assert_eq!(plan.len(), 1);
    assert_eq!(plan.values().next().unwrap().len(), 500);
}

#[test]
fn a_server_that_is_not_configured_is_named_with_those_that_are() {
    let error = sources().shape("ns", &metric("centrl", depth())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "prometheusServer \"centrl\" is not configured; this metrics server knows central, default"
    );
}

#[test]
fn a_query_is_bound_to_its_namespace_unless_its_server_says_otherwise() {
    let value = |server: &str| {
        let shape = sources().shape("mine", &metric(server, query("sum(a)")));
        shape.unwrap().value
    };
    assert_eq!(value("default"), r#"sum(a{namespace="mine"})"#);
    assert_eq!(value("central"), "sum(a)");
    let range = sources().shape("mine", &metric("central", query("a[5m]")));
    assert!(matches!(range, Err(ShapeError::Query(_))), "{range:?}");
}

#[test]
fn a_query_reaches_as_far_as_the_flags_allow_and_says_which() {
    let far = metric("default", query("sum(rate(a[2h]))"));
    let error = sources().shape("ns", &far).unwrap_err().to_string();
    assert!(
        error.contains("a range of 2h is longer than 1h") && error.contains("--max-query-range"),
        "{error}"
    );
    assert!(sources().within(Reach::WIDEST).shape("ns", &far).is_ok());
    let steps = metric("central", query("max_over_time(a[1d:1m])"));
    let error = sources().shape("ns", &steps).unwrap_err().to_string();
    assert!(
        error.contains("1440 steps") && error.contains("--max-query-steps"),
        "{error}"
    );
}

fn label_values() -> impl Strategy<Value = String> {
    any::<String>()
}

fn series() -> impl Strategy<Value = Series> {
    let name = "[a-zA-Z_:][a-zA-Z0-9_:]{0,8}";
    let labels = || proptest::collection::btree_map("[a-z][a-z0-9_]{0,5}", label_values(), 0..3);
    prop_oneof![
        (name, labels(), 1u64..4000).prop_map(|(counter, match_labels, window)| Series::RequestRate {
            counter,
            match_labels,
            match_expressions: Vec::new(),
            window: Duration::from_secs(window),
        }),
        (name, labels(), any::<bool>()).prop_map(|(gauge, match_labels, sum)| Series::Gauge {
            gauge,
            match_labels,
            aggregation: if sum { Aggregation::Sum } else { Aggregation::Max },
        }),
        (label_values(), any::<bool>()).prop_map(|(value, rate)| {
            let selector = format!("b{{c={}}}", crate::metrics::promql::quote(&value));
            query(&if rate {
                format!("sum(rate({selector}[5m])) / 2")
            } else {
                format!("quantile(0.9, {selector})")
            })
        }),
    ]
}

fn item(grouping: Grouping, namespace: &str, pod: &str, value: f64) -> Item {
    let pod = (grouping == Grouping::Pod).then(|| ("pod", pod.into()));
    let labels = [("namespace", namespace.into())].into_iter().chain(pod);
    Item {
        labels: labels.collect(),
        time: 1000.0,
        value,
    }
}

proptest! {
    #[test]
    fn every_query_that_is_rendered_parses(
        series in series(),
        bound in any::<bool>(),
        namespaces in proptest::collection::vec(any::<String>(), 1..4),
    ) {
        let server = if bound { "default" } else { "central" };
        // A query in which the parser trips over the value is refused, not sent.
        if let Ok(shape) = sources().shape(&namespaces[0], &metric(server, series)) {
            let narrowed = shape.queries_for(namespaces.iter().map(String::as_str));
            for queries in [shape.queries(), narrowed] {
                for text in [Some(queries.value), queries.age].into_iter().flatten() {
                    prop_assert!(parser::parse(&text).is_ok(), "{}", text);
                }
            }
        }
    }

    #[test]
    fn the_split_of_a_batched_answer_equals_asking_for_each_namespace_alone(
        per_pod in any::<bool>(),
        points in proptest::collection::btree_map(("[a-c]", "[p-r]"), (0.0..1e9f64, 0.0..1000.0f64), 0..9),
        without_value in "[a-c]",
    ) {
        let series = if per_pod {
            Series::RequestRate { counter: "c".to_owned(), match_labels: BTreeMap::new(), match_expressions: Vec::new(), window: Duration::from_secs(60) }
        } else {
            depth()
        };
        let shape = sources().shape("a", &metric("default", series)).unwrap();
        // The aggregation of a query leaves one series per group.
        let groups: BTreeMap<(String, String), (f64, f64)> = points
            .into_iter()
            .map(|((namespace, pod), point)| ((namespace, if per_pod { pod } else { String::new() }), point))
            .collect();
        let vectors = |only: Option<&str>| {
            let groups = groups.iter().filter(|((namespace, _), _)| only.is_none_or(|only| namespace == only));
            let (mut values, mut times) = (Vec::new(), Vec::new());
            for ((namespace, pod), (value, time)) in groups {
                if *namespace != without_value {
                    values.push(item(shape.grouping, namespace, pod, *value));
                }
                times.push(item(shape.grouping, namespace, pod, *time));
            }
            (values, times)
        };
        let answer = |only: Option<&str>| {
            let (values, times) = vectors(only);
            Answer::join(&shape, &values, &times, Duration::ZERO).unwrap()
        };
        let batched = answer(None);
        for namespace in ["a", "b", "c"] {
            let alone = answer(Some(namespace));
            prop_assert_eq!(batched.points.get(namespace), alone.points.get(namespace));
        }
        let mut joined = answer(Some("a"));
        joined.absorb(answer(Some("b")));
        joined.absorb(answer(Some("c")));
        prop_assert_eq!(joined.points, batched.points);
    }
}
