//! Rules of what is read from Prometheus: counters, gauges and queries, with their windows and matchers.

use std::{collections::BTreeMap, time::Duration};

use super::{
    expressions,
    findings::Scope,
    match_labels::{self, NAMESPACE_LABEL},
};
use crate::{
    k8s::duration,
    metrics::promql::{LabelName, advise_bound, pin_namespace},
    spec::{field_path::FieldPath, model::Series},
};
use vas_api::v1alpha1 as api;

/// Default of the rate window.
const DEFAULT_WINDOW: Duration = Duration::from_mins(1);
/// Largest rate window and largest age. With more than an hour the HPA would act on a load that is long gone.
const MAX_DURATION: Duration = Duration::from_hours(1);
/// Smallest rate window without a warning. Most installations scrape every 15 s, and Prometheus' own default
/// is 60 s. A smaller window holds at most one sample, and a rate needs two.
const SHORT_WINDOW: Duration = Duration::from_secs(15);
/// Parses a request rate.
pub(super) fn request_rate(
    source: &api::RequestRateSource,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<Series> {
    let match_labels = match_labels::check(source.match_labels.as_ref(), path, scope);
    let match_expressions = expressions::check(source.match_expressions.as_deref(), path, scope);
    let window_path = path.field("window");
    let window = check_duration(source.window.as_deref(), DEFAULT_WINDOW, &window_path, scope);
    if window.is_some_and(|window| window < SHORT_WINDOW) {
        scope.warn(
            &window_path,
            "a rate needs two samples, and so short a window rarely has them: the metric will be missing; use at least twice the scrape interval, 1m for example",
        );
    }
    Some(Series::RequestRate {
        counter: source.counter.clone(),
        match_labels,
        match_expressions,
        window: window?,
    })
}

/// Parses a gauge of the namespace.
pub(super) fn gauge(
    gauge: &str,
    match_labels: Option<&BTreeMap<String, String>>,
    aggregation: api::Aggregation,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> Series {
    Series::Gauge {
        gauge: gauge.to_owned(),
        match_labels: match_labels::check(match_labels, path, scope),
        aggregation,
    }
}

/// Parses a gauge or a query with one number for each pod.
pub(super) fn pod_gauge(
    source: &api::PodGaugeSource,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<Series> {
    match (&source.gauge, &source.query) {
        (Some(gauge), None) => Some(Series::PodGauge {
            gauge: gauge.clone(),
            match_labels: match_labels::check(source.match_labels.as_ref(), path, scope),
            aggregation: source.aggregation.unwrap_or(api::Aggregation::Sum),
        }),
        (None, Some(text)) => {
            // A query has selectors of its own, and fields beside it would have no effect on them.
            for (field, written) in [
                ("matchLabels", source.match_labels.is_some()),
                ("aggregation", source.aggregation.is_some()),
            ] {
                if written {
                    scope.refuse(
                        &path.field(field),
                        format_args!("{field} goes with gauge; write it into the query"),
                    );
                }
            }
            match query(text, path, scope)? {
                Series::Query { query } => Some(Series::PodQuery { query }),
                other => Some(other),
            }
        }
        (Some(_), Some(_)) | (None, None) => {
            scope.refuse(path, "exactly one of gauge and query is needed");
            None
        }
    }
}

/// Parses a query. It must be possible to bind the query to a namespace. The check uses the same code that
/// later binds it to the resource's namespace.
pub(super) fn query(query: &str, path: &FieldPath, scope: &mut Scope<'_>) -> Option<Series> {
    let label: LabelName = NAMESPACE_LABEL.parse().ok()?;
    let namespace = scope.namespace().map(str::to_owned);
    let bound: Vec<_> = namespace.iter().map(|own| (&label, own.as_str())).collect();
    let judged = scope.judged(query, |query| {
        // The name does not matter: a query can be bound to every namespace or to none.
        pin_namespace(query, &label, "any")?;
        advise_bound(query, &bound)
    });
    let path = path.field("query");
    match judged {
        Ok(advice) => {
            for advice in advice {
                scope.warn(&path, advice);
            }
            Some(Series::Query {
                query: query.to_owned(),
            })
        }
        Err(error) => {
            scope.refuse(&path, error);
            None
        }
    }
}

/// Parses a positive duration of at most an hour.
pub(super) fn check_duration(
    text: Option<&str>,
    default: Duration,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<Duration> {
    let Some(text) = text else {
        return Some(default);
    };
    match duration::parse(text) {
        Ok(parsed) if parsed > MAX_DURATION => {
            scope.refuse(path, "must be at most 1h");
            None
        }
        Ok(parsed) => Some(parsed),
        Err(error) => {
            scope.refuse(path, error);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::spec::{
        model::MetricType,
        rules::{
            testing::{accepted, accepts, object, refuses, with_workload},
            validate,
        },
    };

    fn rate(fields: Value) -> Value {
        let mut source = json!({"counter": "c", "target": {"averageValue": "100"}});
        for (name, value) in fields.as_object().unwrap() {
            source[name] = value.clone();
        }
        json!({"metrics": [{"name": "rate", "requestRate": source}]})
    }

    #[test]
    fn durations_have_defaults_and_bounds() {
        let workload = accepted(rate(json!({})));
        let (_, metric) = workload.prometheus_metrics().next().unwrap();
        assert_eq!(metric.max_age, Duration::from_mins(2));
        assert_eq!(
            metric.series,
            Series::RequestRate {
                counter: "c".to_owned(),
                match_labels: BTreeMap::new(),
                match_expressions: Vec::new(),
                window: Duration::from_mins(1),
            }
        );
        let window = "spec.workloads[0].metrics[0].requestRate.window";
        refuses(rate(json!({"window": "0s"})), window, "not a duration");
        refuses(rate(json!({"window": "1h1s"})), window, "at most 1h");
        accepts(rate(json!({"window": "1s"})));
        accepts(rate(json!({"window": "60m"})));
    }

    #[test]
    fn matchers_have_label_names_and_leave_the_namespace_to_vas() {
        let path = |key: &str| format!("spec.workloads[0].metrics[0].requestRate.matchLabels{key}");
        for (name, key, rule) in [
            ("namespace", ".namespace", "remove it"),
            ("__name__", ".__name__", "belong to Prometheus"),
            ("a b", r#"["a b"]"#, "is not the name of a label"),
            ("a=~b", r#"["a=~b"]"#, "is not the name of a label"),
        ] {
            refuses(rate(json!({"matchLabels": {name: "v"}})), &path(key), rule);
        }
        accepts(rate(
            json!({"matchLabels": {"queue": "with \"quotes\"", "a.b": "", "größe": "1"}}),
        ));
    }

    #[test]
    fn a_regex_among_equality_matchers_is_warned_of() {
        for (value, warned) in [
            ("5..", false),
            ("5.*", true),
            ("get|post", true),
            ("^a", true),
            ("/api/v1", false),
            ("a.b-c", false),
        ] {
            let spec = with_workload(rate(json!({"matchLabels": {"l": value}})));
            let warnings = validate(&object(&spec)).warnings;
            assert_eq!(warnings.len(), usize::from(warned), "{value}");
        }
    }

    #[test]
    fn a_query_can_be_bound_to_the_namespace() {
        let query = |text: &str| json!({"metrics": [{"name": "m", "prometheus": {"query": text, "target": {"value": "5"}}}]});
        accepts(query(r#"sum(some_metric{namespace="voiceassist"}) or vector(0)"#));
        for text in ["sum(", "x[5m]", "\"text\"", "no_such_function(x)", "info(x)"] {
            refuses(query(text), "spec.workloads[0].metrics[0].prometheus.query", "");
        }
    }

    fn pod_gauge(fields: Value) -> Value {
        let mut source = fields;
        source["target"] = json!({"averageValue": "5"});
        json!({"metrics": [{"name": "busy", "podGauge": source}]})
    }

    #[test]
    fn a_gauge_of_pods_is_a_gauge_or_a_query() {
        let path = "spec.workloads[0].metrics[0].podGauge";
        let workload = accepted(pod_gauge(json!({"gauge": "busy", "matchLabels": {"a": "b"}})));
        let (_, metric) = workload.prometheus_metrics().next().unwrap();
        assert_eq!(metric.metric_type(), MetricType::Pods);
        assert!(matches!(
            metric.series,
            Series::PodGauge {
                aggregation: api::Aggregation::Sum,
                ..
            }
        ));
        accepts(pod_gauge(json!({"query": "sum by (pod) (a) / sum by (pod) (b)"})));
        for both_or_none in [json!({}), json!({"gauge": "a", "query": "b"})] {
            refuses(pod_gauge(both_or_none), path, "exactly one of gauge and query");
        }
        refuses(
            pod_gauge(json!({"query": "a", "matchLabels": {"a": "b"}})),
            &format!("{path}.matchLabels"),
            "goes with gauge",
        );
        refuses(
            pod_gauge(json!({"query": "a[5m]"})),
            &format!("{path}.query"),
            "instant vector",
        );
    }

    #[test]
    fn what_no_metrics_server_takes_is_refused_and_what_only_a_flag_lets_pass_is_remarked() {
        let query = |text: &str| json!({"metrics": [{"name": "m", "prometheus": {"query": text, "target": {"value": "5"}}}]});
        let path = "spec.workloads[0].metrics[0].prometheus.query";
        refuses(query("sum(rate(x[25h]))"), path, "longer than 24h");
        refuses(query("max_over_time(vector(1)[30d:1s])"), path, "more than 3000");
        for (text, advice) in [
            ("sum(rate(x[2h]))", "--max-query-range"),
            ("sum(x) or vector(0)", "onMissing: Zero"),
        ] {
            let validation = validate(&object(&with_workload(query(text))));
            assert_eq!(validation.violations, [], "{text}");
            let warnings: Vec<_> = validation.warnings.iter().map(ToString::to_string).collect();
            assert!(
                warnings.len() == 1 && warnings[0].starts_with(path) && warnings[0].contains(advice),
                "{text}: {warnings:?}"
            );
        }
    }

    #[test]
    fn a_resource_has_no_more_queries_than_can_be_judged_soon() {
        let metric = |n: usize| json!({"name": format!("m{}", n % 16), "prometheus": {"query": format!("sum(x) + {n}"), "target": {"value": "5"}}});
        let workload = |environment: usize| {
            let metrics: Vec<_> = (0..16).map(|n| metric(16 * environment + n)).collect();
            json!({"name": "api", "metrics": metrics})
        };
        let mut spec = with_workload(json!({"metrics": workload(0)["metrics"]}));
        let environments = |count: usize| -> Vec<_> {
            let numbers = 1..=count;
            numbers
                .map(|n| json!({"name": format!("e{n}"), "workloads": [workload(n)]}))
                .collect()
        };
        spec["environments"] = json!(environments(15));
        assert_eq!(validate(&object(&spec)).violations, []);
        spec["environments"] = json!(environments(16));
        let violations = validate(&object(&spec)).violations;
        assert_eq!(violations.len(), 16);
        assert!(
            violations[0].rule.contains("256 different queries"),
            "{violations:?}"
        );
    }

    #[test]
    fn the_age_of_a_queue_is_always_the_largest_series() {
        let workload = accepted(
            json!({"metrics": [{"name": "m", "queueAge": {"gauge": "g", "target": {"value": "60"}}}]}),
        );
        let (_, metric) = workload.prometheus_metrics().next().unwrap();
        assert!(matches!(
            metric.series,
            Series::Gauge {
                aggregation: api::Aggregation::Max,
                ..
            }
        ));
    }
}
