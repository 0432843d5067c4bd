//! Shapes: the distinct queries behind all metrics of all resources.
//!
//! Invariant: a shape of a counter or a gauge names no namespace, so all namespaces share it. The namespace
//! comes back as a label of the answer's series. An author's own query cannot be shared in this way: the
//! namespace is written into the query, so each namespace has a shape of its own.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Contradiction, Labels, QueryError, Reach, contradiction,
    escape::{InvalidMatcherName, matcher_name},
    labels::INSTANCE,
    namespace::bind_within,
    quote, quote_any_of,
};
use crate::spec::model::{PrometheusMetric, Series};
use vas_api::v1alpha1::Aggregation;

/// The labels by which the series of an answer become points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grouping {
    /// One point for each namespace and pod.
    Pod,
    /// One point for each namespace, joined from the series of its exporters.
    Namespace,
    /// One point for each pod of an author's own query, which is bound to one namespace already.
    PodOfOne,
    /// One point in all, for an author's own query that is bound to one namespace already.
    Single,
}

impl Grouping {
    /// Whether the answer is about one namespace only, so that its series need no label of a namespace.
    #[must_use]
    pub fn is_of_one_namespace(self) -> bool {
        match self {
            Self::PodOfOne | Self::Single => true,
            Self::Pod | Self::Namespace => false,
        }
    }
}

/// One distinct query, or pair of queries. All metrics with equal shapes share its answer.
///
/// An example: the request rate over 90 s of the counter `requests_total` has the value query
/// `sum by (namespace, pod) (rate({__name__="requests_total"}[90s]))` and the age query
/// `max by (namespace, pod) (timestamp({__name__="requests_total"}))`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// Name of the Prometheus that the query goes to.
    pub server: String,
    /// The labels by which the series of the answer become points.
    pub grouping: Grouping,
    /// PromQL for the values.
    pub value: String,
    /// PromQL for the time of the newest sample behind each value; `None` means that the time of the poll
    /// counts.
    pub age: Option<String>,
    /// Window of a rate; `None` where the value is that of one moment.
    pub window: Option<Duration>,
    /// Names of the labels that hold namespace and pod, and the matchers of the server.
    pub labels: Labels,
    /// The series that the shape reads.
    pub series: Series,
}

/// The PromQL of a shape, for all namespaces or for some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queries {
    /// PromQL for the values.
    pub value: String,
    /// PromQL for the times of their newest samples; `None` where the time of the poll counts.
    pub age: Option<String>,
}

/// Why no query can be made for a metric.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A key of `matchLabels` is no label name.
    #[error("matchLabels: {0}")]
    MatchLabel(#[from] InvalidMatcherName),
    /// `matchLabels` select series that the metric is never shown.
    #[error("matchLabels: {0}")]
    Contradiction(#[from] Contradiction),
    /// The author's query cannot be used.
    #[error("query: {0}")]
    Query(#[from] QueryError),
    /// The metric names a server that is not configured.
    #[error("prometheusServer {server:?} is not configured; this metrics server knows {}", .known.join(", "))]
    UnknownServer {
        /// The name in the resource.
        server: String,
        /// Names of the configured servers.
        known: Vec<String>,
    },
}

/// The shape behind one metric of a resource in `namespace`. An author's own query is bound to that
/// namespace.
///
/// # Errors
/// See [`ShapeError`].
pub fn shape(labels: &Labels, namespace: &str, metric: &PrometheusMetric) -> Result<Shape, ShapeError> {
    shape_within(labels, namespace, true, metric, Reach::WIDEST)
}

/// Like [`shape`], with other limits for an author's own query, which is bound to the namespace only where
/// `bind_query` says so.
///
/// # Errors
/// See [`ShapeError`].
pub(super) fn shape_within(
    labels: &Labels,
    namespace: &str,
    bind_query: bool,
    metric: &PrometheusMetric,
    reach: Reach,
) -> Result<Shape, ShapeError> {
    // A counter or gauge is always read for the one namespace, also where queries are not bound: the answer's
    // other namespaces are dropped. So its matchers may not name another one.
    if let Some(contradiction) = contradiction::in_series(&metric.series, &labels.bound_to(Some(namespace))) {
        return Err(contradiction.into());
    }
    // The text of an author's own query is part of the shape, so the shape of another namespace differs.
    let bound = |query: &str| bind_within(labels, bind_query.then_some(namespace), query, reach);
    let series = match &metric.series {
        Series::Query { query } => Series::Query { query: bound(query)? },
        Series::PodQuery { query } => Series::PodQuery { query: bound(query)? },
        declared => declared.clone(),
    };
    render(labels, metric, series)
}

fn render(labels: &Labels, metric: &PrometheusMetric, series: Series) -> Result<Shape, ShapeError> {
    let Queries { value, age } = queries(labels, &series, None)?;
    let (grouping, window) = match &series {
        Series::RequestRate { window, .. } => (Grouping::Pod, Some(*window)),
        Series::PodGauge { .. } => (Grouping::Pod, None),
        Series::Gauge { .. } => (Grouping::Namespace, None),
        Series::PodQuery { .. } => (Grouping::PodOfOne, None),
        Series::Query { .. } => (Grouping::Single, None),
    };
    Ok(Shape {
        server: metric.server.clone(),
        grouping,
        value,
        age,
        window,
        labels: labels.clone(),
        series,
    })
}

impl Shape {
    /// The queries for all namespaces.
    #[must_use]
    pub fn queries(&self) -> Queries {
        Queries {
            value: self.value.clone(),
            age: self.age.clone(),
        }
    }

    /// The queries for some namespaces only. An author's own query is about one namespace already and stays
    /// as it is.
    #[must_use]
    pub fn queries_for<'a>(&self, namespaces: impl IntoIterator<Item = &'a str>) -> Queries {
        let matcher = format!("{}=~{}", self.labels.namespace, quote_any_of(namespaces));
        // The label names were checked when the shape was made.
        queries(&self.labels, &self.series, Some(&matcher)).unwrap_or_else(|_| self.queries())
    }
}

/// Writes the queries for series; `matcher` is added to every selector.
pub(super) fn queries(
    labels: &Labels,
    series: &Series,
    matcher: Option<&str>,
) -> Result<Queries, InvalidMatcherName> {
    let Labels {
        namespace,
        pod,
        matchers,
    } = labels;
    // The matchers that every selector has beside the author's own labels.
    let of_server = matchers
        .iter()
        .map(|(label, value)| format!("{label}={}", quote(value)));
    let shared: Vec<String> = of_server.chain(matcher.map(str::to_owned)).collect();
    Ok(match series {
        Series::RequestRate {
            counter,
            match_labels,
            match_expressions,
            window,
        } => {
            let mut further = match_expressions
                .iter()
                .map(super::matcher)
                .collect::<Result<Vec<_>, _>>()?;
            further.extend(shared);
            // `rate` comes before `sum`: a sum of counters falls when one of them starts again at zero, and
            // `rate` would take that for a reset of the whole sum.
            let selector = selector(counter, match_labels, further)?;
            let range = render_window(*window);
            Queries {
                value: format!("sum by ({namespace}, {pod}) (rate({selector}[{range}]))"),
                age: Some(format!("max by ({namespace}, {pod}) (timestamp({selector}))")),
            }
        }
        Series::Gauge {
            gauge,
            match_labels,
            aggregation,
        }
        | Series::PodGauge {
            gauge,
            match_labels,
            aggregation,
        } => {
            let selector = selector(gauge, match_labels, shared)?;
            let operator = operator(*aggregation);
            // The values of a namespace's gauge come by exporter, and `answer` joins them. The times need no
            // exporter.
            let (values_by, times_by) = match series {
                Series::PodGauge { .. } => (format!("{namespace}, {pod}"), format!("{namespace}, {pod}")),
                _ => (format!("{namespace}, {pod}, {INSTANCE}"), namespace.to_string()),
            };
            Queries {
                value: format!("{operator} by ({values_by}) ({selector})"),
                age: Some(format!("max by ({times_by}) (timestamp({selector}))")),
            }
        }
        Series::Query { query } | Series::PodQuery { query } => Queries {
            value: query.clone(),
            age: None,
        },
    })
}

fn operator(aggregation: Aggregation) -> &'static str {
    match aggregation {
        Aggregation::Max => "max",
        Aggregation::Sum => "sum",
    }
}

/// A selector such as `{__name__="depth",queue="a"}`. The name of the metric is written as a matcher, because
/// a metric may be called like a PromQL keyword.
fn selector(
    name: &str,
    match_labels: &BTreeMap<String, String>,
    further: impl IntoIterator<Item = String>,
) -> Result<String, InvalidMatcherName> {
    let mut matchers = vec![format!("__name__={}", quote(name))];
    for (label, value) in match_labels {
        matchers.push(format!("{}={}", matcher_name(label)?, quote(value)));
    }
    matchers.extend(further);
    Ok(format!("{{{}}}", matchers.join(",")))
}

fn render_window(window: Duration) -> String {
    format!("{}s", window.as_secs().max(1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
    use promql_parser::{
        label::MatchOp,
        parser::{self, Expr},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{metrics::promql::Matchers, spec::model::ObjectTarget};
    use vas_api::v1alpha1::{MatchExpression, MatchOperator, OnMissing};

    fn labels() -> Labels {
        Labels {
            namespace: "namespace".parse().unwrap(),
            pod: "pod".parse().unwrap(),
            matchers: Matchers::default(),
        }
    }

    fn metric(series: Series) -> PrometheusMetric {
        PrometheusMetric {
            series,
            external: false,
            target: ObjectTarget::Value(Quantity("1".to_owned())),
            on_missing: OnMissing::Hold,
            max_age: Duration::from_mins(2),
            server: "default".to_owned(),
        }
    }

    fn rate(match_labels: BTreeMap<String, String>) -> PrometheusMetric {
        metric(Series::RequestRate {
            counter: "requests_total".to_owned(),
            match_labels,
            match_expressions: Vec::new(),
            window: Duration::from_secs(90),
        })
    }

    fn gauge(aggregation: Aggregation, match_labels: BTreeMap<String, String>) -> PrometheusMetric {
        metric(Series::Gauge {
            gauge: "depth".to_owned(),
            match_labels,
            aggregation,
        })
    }

    #[test]
    fn a_request_rate_is_summed_by_pod_and_dated_by_its_newest_sample() {
        let shape = shape(&labels(), "a", &rate(BTreeMap::new())).unwrap();
        assert_eq!(
            shape.value,
            r#"sum by (namespace, pod) (rate({__name__="requests_total"}[90s]))"#
        );
        assert_eq!(
            shape.age.as_deref(),
            Some(r#"max by (namespace, pod) (timestamp({__name__="requests_total"}))"#)
        );
    }

    #[test]
    fn the_labels_of_namespace_and_pod_are_settings() {
        let labels = Labels {
            namespace: "kube_ns".parse().unwrap(),
            pod: "kube_pod".parse().unwrap(),
            matchers: Matchers::default(),
        };
        let shape = shape(&labels, "a", &rate(BTreeMap::new())).unwrap();
        assert!(
            shape.value.starts_with("sum by (kube_ns, kube_pod) "),
            "{}",
            shape.value
        );
    }

    /// The selectors of a query, found by their braces.
    fn selectors(query: &str) -> Vec<&str> {
        let braces = query.split('{').skip(1);
        braces.map(|rest| rest.split('}').next().unwrap()).collect()
    }

    #[test]
    fn the_matchers_of_a_server_stand_in_every_selector_of_every_query() {
        let labels = Labels {
            matchers: [r#"cluster=eu"1"#, "stage=prod"]
                .map(|text| text.parse().unwrap())
                .into_iter()
                .collect(),
            ..labels()
        };
        let query = "sum(a) / on () (topk(scalar(b), c) or max_over_time(d[5m]))".to_owned();
        let own = metric(Series::Query { query: query.clone() });
        let own_of_pods = metric(Series::PodQuery { query });
        let gauge_of_pods = metric(Series::PodGauge {
            gauge: "busy".to_owned(),
            match_labels: BTreeMap::new(),
            aggregation: Aggregation::Max,
        });
        let matchers = r#"cluster="eu\"1",stage="prod""#;
        for metric in [
            rate(BTreeMap::new()),
            gauge(Aggregation::Sum, BTreeMap::new()),
            own,
            own_of_pods,
            gauge_of_pods,
        ] {
            for bind_query in [true, false] {
                let shape = shape_within(&labels, "a", bind_query, &metric, Reach::WIDEST).unwrap();
                let parts = shape.queries_for(["a", "b"]);
                let queries = [Some(shape.value), shape.age, Some(parts.value), parts.age];
                let queries: Vec<String> = queries.into_iter().flatten().collect();
                let all: Vec<&str> = queries.iter().flat_map(|query| selectors(query)).collect();
                assert!(all.len() >= 4, "{queries:?}");
                for selector in all {
                    let sorted: Vec<&str> = matchers.split(',').collect();
                    assert!(sorted.iter().all(|one| selector.contains(one)), "{selector}");
                }
            }
        }
    }

    #[test]
    fn a_metric_that_asks_for_another_namespace_or_cluster_has_no_query() {
        let labels = Labels {
            namespace: "kube_ns".parse().unwrap(),
            matchers: ["cluster=eu".parse().unwrap()].into_iter().collect(),
            ..labels()
        };
        let with = |label: &str, value: &str| BTreeMap::from([(label.to_owned(), value.to_owned())]);
        let own = |query: &str| {
            metric(Series::Query {
                query: query.to_owned(),
            })
        };
        let of = |metric: &PrometheusMetric, bind| shape_within(&labels, "a", bind, metric, Reach::WIDEST);
        for refused in [
            rate(with("kube_ns", "b")),
            gauge(Aggregation::Max, with("cluster", "us")),
            own(r#"sum(x{kube_ns="b"})"#),
            own(r#"sum(x{cluster="us"})"#),
        ] {
            let error = of(&refused, true).unwrap_err().to_string();
            assert!(error.contains("can never have a value"), "{error}");
        }
        for accepted in [
            rate(with("kube_ns", "a")),
            gauge(Aggregation::Max, with("cluster", "eu")),
            own(r#"sum(x{kube_ns="a", cluster="eu"})"#),
            own(r#"sum(x{namespace="b"})"#),
        ] {
            assert!(of(&accepted, true).is_ok(), "{accepted:?}");
        }
        assert!(
            of(&own(r#"sum(x{kube_ns="b"})"#), false).is_ok(),
            "it is not bound"
        );
        assert!(of(&rate(with("kube_ns", "b")), false).is_err());
    }

    #[test]
    fn conditions_go_into_every_selector_of_a_rate() {
        let mut metric = rate(BTreeMap::from([("a".to_owned(), "b".to_owned())]));
        if let Series::RequestRate {
            match_expressions, ..
        } = &mut metric.series
        {
            match_expressions.push(MatchExpression {
                key: "code".to_owned(),
                operator: MatchOperator::NotMatches,
                values: vec!["5..".to_owned()],
            });
        }
        let shape = shape(&labels(), "a", &metric).unwrap();
        let selector = r#"{__name__="requests_total",a="b",code!~"5.."}"#;
        assert_eq!(
            shape.value,
            format!("sum by (namespace, pod) (rate({selector}[90s]))")
        );
        assert!(shape.age.unwrap().contains(selector));
    }

    #[test]
    fn a_gauge_of_pods_is_told_apart_by_pod() {
        let gauge = shape(
            &labels(),
            "a",
            &metric(Series::PodGauge {
                gauge: "busy".to_owned(),
                match_labels: BTreeMap::new(),
                aggregation: Aggregation::Sum,
            }),
        )
        .unwrap();
        assert_eq!(gauge.value, r#"sum by (namespace, pod) ({__name__="busy"})"#);
        assert_eq!((gauge.grouping, gauge.window), (Grouping::Pod, None));
        let query = metric(Series::PodQuery {
            query: "sum by (pod) (busy) / sum by (pod) (all)".to_owned(),
        });
        let query = shape(&labels(), "a", &query).unwrap();
        assert_eq!(
            query.value,
            r#"sum by (pod) (busy{namespace="a"}) / sum by (pod) (all{namespace="a"})"#
        );
        assert_eq!((query.grouping, query.age), (Grouping::PodOfOne, None));
    }

    #[test]
    fn all_namespaces_share_the_query_of_a_shape() {
        let shapes: BTreeSet<_> = (0..1000)
            .map(|n| shape(&labels(), &format!("ns-{n}"), &rate(BTreeMap::new())).unwrap())
            .collect();
        assert_eq!(shapes.len(), 1);
    }

    #[test]
    fn what_changes_the_question_changes_the_shape() {
        let queue = |name: &str| BTreeMap::from([("queue".to_owned(), name.to_owned())]);
        let shapes: BTreeSet<_> = [
            gauge(Aggregation::Max, queue("a")),
            gauge(Aggregation::Sum, queue("a")),
            gauge(Aggregation::Max, queue("b")),
            PrometheusMetric {
                server: "other".to_owned(),
                ..gauge(Aggregation::Max, queue("a"))
            },
        ]
        .iter()
        .map(|metric| shape(&labels(), "a", metric).unwrap())
        .collect();
        assert_eq!(shapes.len(), 4);
    }

    #[test]
    fn a_key_that_is_no_label_name_is_refused() {
        let bad = BTreeMap::from([("a\"} or vector(1) #".to_owned(), "b".to_owned())]);
        assert!(matches!(
            shape(&labels(), "a", &rate(bad)),
            Err(ShapeError::MatchLabel(_))
        ));
    }

    fn matchers(query: &str) -> Vec<(String, String)> {
        let Expr::Aggregate(aggregate) = parser::parse(query).unwrap() else {
            panic!("{query}")
        };
        let Expr::VectorSelector(selector) = *aggregate.expr else {
            panic!("{query}")
        };
        assert_eq!(selector.matchers.or_matchers, Vec::<Vec<_>>::new());
        selector
            .matchers
            .matchers
            .into_iter()
            .map(|matcher| {
                assert_eq!(matcher.op, MatchOp::Equal);
                (matcher.name, matcher.value)
            })
            .collect()
    }

    proptest! {
        #[test]
        fn a_label_value_never_changes_the_structure_of_a_query(value in any::<String>()) {
            let metric = gauge(Aggregation::Max, BTreeMap::from([("queue".to_owned(), value.clone())]));
            let shape = shape(&labels(), "a", &metric).unwrap();
            prop_assert_eq!(
                matchers(&shape.value),
                vec![("__name__".to_owned(), "depth".to_owned()), ("queue".to_owned(), value)]
            );
        }
    }
}
