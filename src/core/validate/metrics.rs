//! Metrics of a workload: one source each, durations, matchers, and at least one that is enabled.

use std::{collections::BTreeMap, time::Duration};

use super::{findings::Scope, target};
use crate::{
    api::v1alpha1 as api,
    core::{
        duration,
        field_path::FieldPath,
        model::{Metric, ObjectTarget, PrometheusMetric, Series, Source},
        promql::{LabelName, pin_namespace},
    },
};

/// Rate window where none is written.
const DEFAULT_WINDOW: Duration = Duration::from_mins(1);
/// Age beyond which a sample counts as missing, where none is written.
const DEFAULT_MAX_AGE: Duration = Duration::from_mins(2);
/// Longest rate window and greatest age: beyond an hour the HPA would act on another day's load.
const MAX_DURATION: Duration = Duration::from_hours(1);
/// The Prometheus that is asked where none is named.
const DEFAULT_SERVER: &str = "default";
/// Matched by vas itself, so that a resource reads only its own namespace.
const NAMESPACE_LABEL: &str = "namespace";

/// Parses the metrics and returns the enabled ones; `None` when one does not parse or none is enabled.
pub(super) fn check(
    metrics: &[api::Metric],
    workload: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<Vec<Metric>> {
    let list = workload.field("metrics");
    let mut enabled = Vec::new();
    let mut complete = true;
    for metric in metrics {
        let parsed = check_metric(metric, &list.named(&metric.name), scope);
        if metric.enabled.unwrap_or(true) {
            complete &= parsed.is_some();
            enabled.extend(parsed);
        }
    }
    if complete && enabled.is_empty() {
        scope.refuse(
            &list,
            "at least one metric must be enabled; to hold the replicas use suspend: true",
        );
        return None;
    }
    complete.then_some(enabled)
}

fn check_metric(metric: &api::Metric, path: &FieldPath, scope: &mut Scope<'_>) -> Option<Metric> {
    if metric.external == Some(true) {
        scope.refuse(
            &path.field("external"),
            "external metrics are not served by this version; leave external out, the metric is then read through custom.metrics.k8s.io",
        );
    }
    let source = check_source(metric, path, scope);
    if metric.resource.is_some() || metric.container_resource.is_some() {
        for (field, written) in [
            ("onMissing", metric.on_missing.is_some()),
            ("maxAge", metric.max_age.is_some()),
            ("prometheusServer", metric.prometheus_server.is_some()),
        ] {
            if written {
                scope.refuse(
                    &path.field(field),
                    format_args!(
                        "{field} applies to metrics from Prometheus, not to resource and containerResource; remove it"
                    ),
                );
            }
        }
    }
    Some(Metric {
        name: metric.name.clone(),
        source: source?,
    })
}

/// Parses the one source.
fn check_source(metric: &api::Metric, path: &FieldPath, scope: &mut Scope<'_>) -> Option<Source> {
    let api::Metric {
        resource,
        container_resource,
        request_rate,
        queue_depth,
        queue_age,
        prometheus,
        ..
    } = metric;
    match (
        resource,
        container_resource,
        request_rate,
        queue_depth,
        queue_age,
        prometheus,
    ) {
        (Some(source), None, None, None, None, None) => {
            let path = path.field("resource").field("target");
            Some(Source::Resource {
                name: source.name,
                target: target::resource(&source.target, &path, scope)?,
            })
        }
        (None, Some(source), None, None, None, None) => {
            let path = path.field("containerResource").field("target");
            Some(Source::ContainerResource {
                name: source.name,
                container: source.container.clone(),
                target: target::resource(&source.target, &path, scope)?,
            })
        }
        (None, None, Some(source), None, None, None) => {
            let source_path = path.field("requestRate");
            let series = request_rate_series(source, &source_path, scope);
            let target = target::pods(&source.target, &source_path.field("target"), scope);
            from_prometheus(metric, series, target, path, scope)
        }
        (None, None, None, Some(source), None, None) => {
            let source_path = path.field("queueDepth");
            let aggregation = source.aggregation.unwrap_or_default();
            let series = gauge(
                &source.gauge,
                source.match_labels.as_ref(),
                aggregation,
                &source_path,
                scope,
            );
            let target = target::object(&source.target, &source_path.field("target"), scope);
            from_prometheus(metric, Some(series), target, path, scope)
        }
        (None, None, None, None, Some(source), None) => {
            let source_path = path.field("queueAge");
            let aggregation = api::Aggregation::Max;
            let series = gauge(
                &source.gauge,
                source.match_labels.as_ref(),
                aggregation,
                &source_path,
                scope,
            );
            let target = target::object(&source.target, &source_path.field("target"), scope);
            from_prometheus(metric, Some(series), target, path, scope)
        }
        (None, None, None, None, None, Some(source)) => {
            let source_path = path.field("prometheus");
            let series = query(&source.query, &source_path, scope);
            let target = target::object(&source.target, &source_path.field("target"), scope);
            from_prometheus(metric, series, target, path, scope)
        }
        _ => {
            scope.refuse(
                path,
                "a metric has exactly one of resource, containerResource, requestRate, queueDepth, queueAge and prometheus",
            );
            None
        }
    }
}

fn from_prometheus(
    metric: &api::Metric,
    series: Option<Series>,
    target: Option<ObjectTarget>,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<Source> {
    let max_age = check_duration(
        metric.max_age.as_deref(),
        DEFAULT_MAX_AGE,
        &path.field("maxAge"),
        scope,
    );
    Some(Source::Prometheus(PrometheusMetric {
        series: series?,
        target: target?,
        on_missing: metric.on_missing.unwrap_or_default(),
        max_age: max_age?,
        server: metric
            .prometheus_server
            .clone()
            .unwrap_or_else(|| DEFAULT_SERVER.to_owned()),
    }))
}

fn request_rate_series(
    source: &api::RequestRateSource,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<Series> {
    let match_labels = check_matchers(source.match_labels.as_ref(), path, scope);
    let window = check_duration(
        source.window.as_deref(),
        DEFAULT_WINDOW,
        &path.field("window"),
        scope,
    );
    Some(Series::RequestRate {
        counter: source.counter.clone(),
        match_labels,
        window: window?,
    })
}

fn gauge(
    gauge: &str,
    match_labels: Option<&BTreeMap<String, String>>,
    aggregation: api::Aggregation,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> Series {
    Series::Gauge {
        gauge: gauge.to_owned(),
        match_labels: check_matchers(match_labels, path, scope),
        aggregation,
    }
}

/// A query that can be bound to a namespace, by the same code that will bind it to the right one.
fn query(query: &str, path: &FieldPath, scope: &mut Scope<'_>) -> Option<Series> {
    let label: LabelName = NAMESPACE_LABEL.parse().ok()?;
    match pin_namespace(query, &label, "any") {
        Ok(_) => Some(Series::Query {
            query: query.to_owned(),
        }),
        Err(error) => {
            scope.refuse(&path.field("query"), error);
            None
        }
    }
}

fn check_duration(
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

/// Checks the label names of equality matchers. Values may be anything: they are quoted in the query.
fn check_matchers(
    labels: Option<&BTreeMap<String, String>>,
    source: &FieldPath,
    scope: &mut Scope<'_>,
) -> BTreeMap<String, String> {
    let labels = labels.cloned().unwrap_or_default();
    let path = source.field("matchLabels");
    for name in labels.keys() {
        if name == NAMESPACE_LABEL {
            scope.refuse(
                &path.key(name),
                "vas itself matches the namespace label with the resource's own namespace; remove it",
            );
        } else if name.starts_with("__") {
            scope.refuse(
                &path.key(name),
                "label names that start with __ belong to Prometheus; remove it",
            );
        } else if let Err(error) = name.parse::<LabelName>() {
            scope.refuse(&path.key(name), error);
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::validate::testing::{accepted, accepts, refuses};

    fn rate(fields: Value) -> Value {
        let mut source = json!({"counter": "c", "target": {"averageValue": "100"}});
        for (name, value) in fields.as_object().unwrap() {
            source[name] = value.clone();
        }
        json!({"metrics": [{"name": "rate", "requestRate": source}]})
    }

    #[test]
    fn a_metric_has_exactly_one_source() {
        for metric in [
            json!({"name": "m"}),
            json!({"name": "m",
                "resource": {"name": "cpu", "target": {"averageUtilization": 70}},
                "queueAge": {"gauge": "g", "target": {"value": "60"}}}),
        ] {
            refuses(
                json!({ "metrics": [metric] }),
                "spec.workloads[0].metrics[0]",
                "exactly one of resource",
            );
        }
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
    fn fields_for_prometheus_are_refused_on_resource_metrics() {
        for (field, value) in [
            ("onMissing", "Zero"),
            ("maxAge", "1m"),
            ("prometheusServer", "other"),
        ] {
            let mut metric =
                json!({"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}});
            metric[field] = json!(value);
            refuses(
                json!({ "metrics": [metric] }),
                &format!("spec.workloads[0].metrics[0].{field}"),
                "applies to metrics from Prometheus",
            );
        }
    }

    #[test]
    fn matchers_have_label_names_and_leave_the_namespace_to_vas() {
        let path = |key: &str| format!("spec.workloads[0].metrics[0].requestRate.matchLabels{key}");
        for (name, key, rule) in [
            ("namespace", ".namespace", "remove it"),
            ("__name__", ".__name__", "belong to Prometheus"),
            ("a.b", r#"["a.b"]"#, "is not a Prometheus label name"),
            ("1a", ".1a", "is not a Prometheus label name"),
        ] {
            refuses(rate(json!({"matchLabels": {name: "v"}})), &path(key), rule);
        }
        accepts(rate(json!({"matchLabels": {"queue": "with \"quotes\""}})));
    }

    #[test]
    fn a_query_can_be_bound_to_the_namespace() {
        let query = |text: &str| json!({"metrics": [{"name": "m", "prometheus": {"query": text, "target": {"value": "5"}}}]});
        accepts(query(r#"sum(some_metric{namespace="voiceassist"}) or vector(0)"#));
        for text in ["sum(", "x[5m]", "\"text\"", "no_such_function(x)", "info(x)"] {
            refuses(query(text), "spec.workloads[0].metrics[0].prometheus.query", "");
        }
    }

    #[test]
    fn external_is_refused() {
        refuses(
            json!({"metrics": [{"name": "m", "external": true, "queueAge": {"gauge": "g", "target": {"value": "60"}}}]}),
            "spec.workloads[0].metrics[0].external",
            "not served by this version",
        );
    }

    #[test]
    fn one_metric_must_be_enabled() {
        refuses(
            json!({"metrics": [{"name": "cpu", "enabled": false, "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}]}),
            "spec.workloads[0].metrics",
            "at least one metric",
        );
    }

    #[test]
    fn a_disabled_metric_is_checked_and_left_out() {
        let disabled = |target: &str| {
            json!({"metrics": [
                {"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}},
                {"name": "age", "enabled": false, "queueAge": {"gauge": "g", "target": {"value": target}}},
            ]})
        };
        assert_eq!(accepted(disabled("60")).metrics.len(), 1);
        refuses(
            disabled("0"),
            "spec.workloads[0].metrics[1].queueAge.target.value",
            "greater than zero",
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
