//! Rules of a workload's metrics: each has one source with valid fields, and at least one metric is enabled.

use std::{collections::BTreeMap, time::Duration};

use super::{findings::Scope, series, target};
use crate::spec::{
    field_path::FieldPath,
    model::{Metric, ObjectTarget, PrometheusMetric, Series, Source},
};
use vas_api::v1alpha1 as api;

/// Default of `maxAge`, the age beyond which a sample counts as missing.
const DEFAULT_MAX_AGE: Duration = Duration::from_mins(2);
/// Name of the Prometheus server that is queried if the metric names none.
const DEFAULT_SERVER: &str = "default";

/// Parses all metrics and returns the enabled ones; `None` if an enabled one does not parse or none is
/// enabled.
pub(super) fn check(
    metrics: &[api::Metric],
    workload: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<Vec<Metric>> {
    let list = workload.field("metrics");
    let mut enabled = Vec::new();
    let mut complete = true;
    for metric in metrics {
        // A disabled metric is checked too, because another environment may enable it.
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
    let source = check_source(metric, path, scope);
    // External metrics are one number for the namespace. A value per pod has no place in that API.
    let is_pods_or_resource = metric.request_rate.is_some()
        || metric.pod_gauge.is_some()
        || metric.resource.is_some()
        || metric.container_resource.is_some();
    if metric.external == Some(true) && is_pods_or_resource {
        scope.refuse(
            &path.field("external"),
            "external applies to queueDepth, queueAge and prometheus, which are one number; resource, containerResource, requestRate and podGauge describe pods; remove it",
        );
    }
    // CPU and memory come from metrics.k8s.io, so fields about Prometheus would have no effect.
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

/// Parses the source of a metric, of which exactly one must be set.
fn check_source(metric: &api::Metric, path: &FieldPath, scope: &mut Scope<'_>) -> Option<Source> {
    let api::Metric {
        resource,
        container_resource,
        request_rate,
        pod_gauge,
        queue_depth,
        queue_age,
        prometheus,
        ..
    } = metric;
    // One arm per source, with all others `None`: two sources, or none, fall into the last arm.
    match (
        resource,
        container_resource,
        request_rate,
        pod_gauge,
        queue_depth,
        queue_age,
        prometheus,
    ) {
        (Some(source), None, None, None, None, None, None) => {
            let path = path.field("resource").field("target");
            Some(Source::Resource {
                name: source.name,
                target: target::resource(&source.target, &path, scope)?,
            })
        }
        (None, Some(source), None, None, None, None, None) => {
            let path = path.field("containerResource").field("target");
            Some(Source::ContainerResource {
                name: source.name,
                container: source.container.clone(),
                target: target::resource(&source.target, &path, scope)?,
            })
        }
        (None, None, Some(source), None, None, None, None) => {
            let source_path = path.field("requestRate");
            let series = series::request_rate(source, &source_path, scope);
            let target = target::pods(&source.target, &source_path.field("target"), scope);
            from_prometheus(metric, series, target, path, scope)
        }
        (None, None, None, Some(source), None, None, None) => {
            let source_path = path.field("podGauge");
            let series = series::pod_gauge(source, &source_path, scope);
            let target = target::pods(&source.target, &source_path.field("target"), scope);
            from_prometheus(metric, series, target, path, scope)
        }
        (None, None, None, None, Some(source), None, None) => {
            let gauge = Gauge {
                name: &source.gauge,
                match_labels: source.match_labels.as_ref(),
                aggregation: source.aggregation.unwrap_or_default(),
                target: &source.target,
            };
            gauge.check(metric, path, "queueDepth", scope)
        }
        (None, None, None, None, None, Some(source), None) => {
            let gauge = Gauge {
                name: &source.gauge,
                match_labels: source.match_labels.as_ref(),
                aggregation: api::Aggregation::Max,
                target: &source.target,
            };
            gauge.check(metric, path, "queueAge", scope)
        }
        (None, None, None, None, None, None, Some(source)) => {
            let source_path = path.field("prometheus");
            let series = series::query(&source.query, &source_path, scope);
            let target = target::object(&source.target, &source_path.field("target"), scope);
            from_prometheus(metric, series, target, path, scope)
        }
        _ => {
            scope.refuse(
                path,
                "a metric has exactly one of resource, containerResource, requestRate, podGauge, queueDepth, queueAge and prometheus",
            );
            None
        }
    }
}

/// The fields that `queueDepth` and `queueAge` have in common.
struct Gauge<'a> {
    name: &'a str,
    match_labels: Option<&'a BTreeMap<String, String>>,
    aggregation: api::Aggregation,
    target: &'a api::ObjectTarget,
}

impl Gauge<'_> {
    fn check(
        self,
        metric: &api::Metric,
        path: &FieldPath,
        source: &'static str,
        scope: &mut Scope<'_>,
    ) -> Option<Source> {
        let source = path.field(source);
        let series = series::gauge(self.name, self.match_labels, self.aggregation, &source, scope);
        let target = target::object(self.target, &source.field("target"), scope);
        from_prometheus(metric, Some(series), target, path, scope)
    }
}

fn from_prometheus(
    metric: &api::Metric,
    series: Option<Series>,
    target: Option<ObjectTarget>,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<Source> {
    let max_age = series::check_duration(
        metric.max_age.as_deref(),
        DEFAULT_MAX_AGE,
        &path.field("maxAge"),
        scope,
    );
    // The `?` come after every check has run, so that all mistakes of a metric are reported together.
    Some(Source::Prometheus(PrometheusMetric {
        series: series?,
        external: metric.external.unwrap_or_default(),
        target: target?,
        on_missing: metric.on_missing.unwrap_or_default(),
        max_age: max_age?,
        server: metric
            .prometheus_server
            .clone()
            .unwrap_or_else(|| DEFAULT_SERVER.to_owned()),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::spec::{
        model::MetricType,
        rules::testing::{accepted, accepts, refuses},
    };

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
    fn external_is_for_metrics_that_are_one_number() {
        for (source, spec) in [
            (
                "queueDepth",
                json!({"gauge": "g", "target": {"averageValue": "50"}}),
            ),
            ("queueAge", json!({"gauge": "g", "target": {"value": "60"}})),
            ("prometheus", json!({"query": "sum(x)", "target": {"value": "5"}})),
        ] {
            let workload = accepted(json!({"metrics": [{"name": "m", "external": true, source: spec}]}));
            let (_, metric) = workload.prometheus_metrics().next().unwrap();
            assert_eq!(metric.metric_type(), MetricType::External, "{source}");
        }
        let cpu = json!({"name": "cpu", "target": {"averageUtilization": 70}});
        let container = json!({"name": "cpu", "container": "app", "target": {"averageUtilization": 70}});
        let rate = json!({"counter": "c", "target": {"averageValue": "100"}});
        let busy = json!({"gauge": "g", "target": {"averageValue": "100"}});
        for (source, spec) in [
            ("resource", cpu),
            ("containerResource", container),
            ("requestRate", rate),
            ("podGauge", busy),
        ] {
            let metric =
                |external: bool| json!({"metrics": [{"name": "m", "external": external, source: spec}]});
            refuses(
                metric(true),
                "spec.workloads[0].metrics[0].external",
                "external applies to queueDepth, queueAge and prometheus",
            );
            accepts(metric(false));
        }
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
}
