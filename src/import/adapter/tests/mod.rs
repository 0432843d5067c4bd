//! Imports rules as people write them.

mod choice;
mod entries;
mod places;
mod queries;
mod reach;

use serde_json::{Value, json};

use super::*;
use crate::hpa;
use vas_core::spec::rules::validate;

fn parse(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

fn config(text: &str) -> Sources {
    read(&[parse(text).unwrap()], parse).unwrap()
}

/// The metrics of an HPA in namespace `shop`.
fn hpa(metrics: &str) -> Vec<HpaMetric> {
    hpa_in(Some("shop"), metrics)
}

fn hpa_in(namespace: Option<&str>, metrics: &str) -> Vec<HpaMetric> {
    let metrics: Value = serde_saphyr::from_str(metrics).unwrap();
    let object = json!({"apiVersion": "autoscaling/v2", "metadata": {"name": "old", "namespace": namespace}, "spec": {
        "maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "d"}, "metrics": metrics,
    }});
    wanted(&hpa::read(&object).unwrap())
}

/// The entries as JSON, after checking them against the rules of a resource.
fn entries(import: &Import) -> Vec<Value> {
    let metrics: Vec<Value> = import
        .entries
        .iter()
        .map(|entry| serde_json::to_value(&entry.metric).unwrap())
        .collect();
    let text = serde_json::to_string(&metrics).unwrap();
    assert!(
        !text.contains("__vas") && !text.contains("<<"),
        "a placeholder is left: {text}"
    );
    if !metrics.is_empty() {
        let object = json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
            "metadata": {"name": "v", "namespace": "ns"},
            "spec": {"workloads": [{
                "name": "w", "maxReplicas": 5, "metrics": metrics,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
            }]},
        });
        let violations = validate(&serde_json::from_value(object).unwrap()).violations;
        let open = import.entries.iter().filter(|entry| !entry.has_target).count();
        assert_eq!(
            violations.len(),
            open,
            "only placeholders are refused: {violations:?}"
        );
        assert!(
            violations
                .iter()
                .all(|violation| violation.path.contains(".target.")),
            "{violations:?}"
        );
    }
    metrics
}

/// The one entry of an import that refuses nothing.
fn entry(import: &Import) -> Value {
    assert_eq!(import.refused, []);
    let entries = entries(import);
    let [entry] = entries.as_slice() else {
        panic!("{import:?}")
    };
    entry.clone()
}

fn refused(import: &Import) -> &str {
    let [refused] = import.refused.as_slice() else {
        panic!("{import:?}")
    };
    assert_eq!(import.entries, []);
    &refused.why
}

/// A rule for pods of the counter `http_requests_total`, exposed as `http_requests_per_second`.
const REQUESTS: &str = r#"
rules:
- seriesQuery: 'http_requests_total{namespace!="",pod!=""}'
  resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}
  name: {matches: "^(.*)_total$", as: "${1}_per_second"}
  metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)'
"#;

const PODS_TARGET: &str = "[{type: Pods, pods: {metric: {name: http_requests_per_second}, target: {type: AverageValue, averageValue: 500m}}}]";

/// The rule with another query.
fn requests(query: &str) -> Sources {
    let lines = REQUESTS
        .lines()
        .map(|line| match line.split_once("metricsQuery") {
            Some((indent, _)) => format!("{indent}metricsQuery: '{query}'\n"),
            None => format!("{line}\n"),
        });
    config(&lines.collect::<String>())
}

/// A rule for the series `jobs_waiting`.
fn queue(query: &str, overrides: &str) -> Sources {
    config(&format!(
        "rules:\n- seriesQuery: 'jobs_waiting'\n  resources: {{overrides: {overrides}}}\n  metricsQuery: '{query}'\n"
    ))
}

const NAMESPACE: &str = "{namespace: {resource: namespace}}";
const SERVICE: &str = "{namespace: {resource: namespace}, svc: {resource: services}}";

/// An HPA that reads `jobs_waiting` of Service `mail`.
const SERVICE_TARGET: &str = "[{type: Object, object: {metric: {name: jobs_waiting}, describedObject: {apiVersion: v1, kind: Service, name: mail}, target: {type: Value, value: '100'}}}]";

/// An external rule for the series `queue_depth`.
fn external(resources: &str, query: &str) -> Sources {
    config(&format!(
        "externalRules:\n- seriesQuery: 'queue_depth{{name!=\"\"}}'\n  resources: {resources}\n  metricsQuery: '{query}'\n"
    ))
}

const OWN: &str = "{overrides: {namespace: {resource: namespace}}}";

/// An HPA that reads `queue_depth` of the queue `mail`.
const EXTERNAL_TARGET: &str = "[{type: External, external: {metric: {name: queue_depth, selector: {matchLabels: {name: mail}}}, target: {type: AverageValue, averageValue: '30'}}}]";
