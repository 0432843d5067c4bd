//! Rules as people write them.

use serde_json::{Value, json};

use super::*;
use crate::core::validate::validate;

fn config(text: &str) -> Config {
    read(serde_saphyr::from_str(text).unwrap(), |_| {
        Err("no ConfigMap".to_owned())
    })
    .unwrap()
}

fn hpa(metrics: &str) -> Vec<Wanted> {
    let metrics: Value = serde_saphyr::from_str(metrics).unwrap();
    let hpa = json!({"metadata": {"name": "old"}, "spec": {
        "maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "d"}, "metrics": metrics,
    }});
    wanted(&serde_json::from_value(hpa).unwrap())
}

/// The entries as JSON, held against the rules of a resource.
fn entries(import: &Import) -> Vec<Value> {
    let metrics: Vec<Value> = import
        .entries
        .iter()
        .map(|entry| serde_json::to_value(&entry.metric).unwrap())
        .collect();
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

fn refused(import: &Import) -> &str {
    let [refused] = import.refused.as_slice() else {
        panic!("{import:?}")
    };
    assert_eq!(import.entries, []);
    &refused.why
}

const REQUESTS: &str = r#"
rules:
- seriesQuery: 'http_requests_total{namespace!="",pod!=""}'
  resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}
  name: {matches: "^(.*)_total$", as: "${1}_per_second"}
  metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)'
"#;

const PODS_TARGET: &str = "[{type: Pods, pods: {metric: {name: http_requests_per_second}, target: {type: AverageValue, averageValue: 500m}}}]";

#[test]
fn a_rate_by_pod_becomes_a_request_rate_with_the_target_of_its_hpa() {
    let import = convert(&config(REQUESTS), &hpa(PODS_TARGET));
    assert_eq!(
        entries(&import),
        [json!({"name": "http-requests-per-second", "requestRate": {
            "counter": "http_requests_total", "window": "2m", "target": {"averageValue": "500m"},
        }})]
    );
    assert_eq!(import.refused, []);
}

#[test]
fn without_an_hpa_the_target_is_a_placeholder_that_validation_points_at() {
    let import = convert(&config(REQUESTS), &[]);
    let entry = &entries(&import)[0];
    assert_eq!(entry["requestRate"]["target"]["averageValue"], json!("0"));
    assert!(import.entries[0].comments[1].starts_with("fill in target.averageValue"));
}

#[test]
fn equality_becomes_match_labels_and_other_matchers_of_a_rate_by_pod_are_refused() {
    let with =
        |matcher: &str| REQUESTS.replace("<<.LabelMatchers>>", &format!("<<.LabelMatchers>>,{matcher}"));
    let import = convert(&config(&with(r#"code="200",pod!="""#)), &[]);
    assert_eq!(
        entries(&import)[0]["requestRate"]["matchLabels"],
        json!({"code": "200"})
    );
    let import = convert(&config(&with(r#"code!~"5..""#)), &[]);
    assert!(refused(&import).contains("equality"), "{import:?}");
}

#[test]
fn a_rule_for_many_names_needs_the_hpas_to_say_which_are_used() {
    let rule = r#"
rules:
- seriesQuery: '{__name__=~"^container_fs_.*",container!="POD",namespace!="",pod!=""}'
  seriesFilters: [{isNot: "^container_fs_.*_seconds_total$"}]
  resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}
  name: {matches: "^container_(.*)_total$", as: ""}
  metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>,container="app"}[5m])) by (<<.GroupBy>>)'
"#;
    assert!(refused(&convert(&config(rule), &[])).contains("--hpa"));
    let wanted = hpa(
        "[{type: Pods, pods: {metric: {name: fs_writes}, target: {type: AverageValue, averageValue: '10'}}}]",
    );
    let import = convert(&config(rule), &wanted);
    assert_eq!(
        entries(&import),
        [json!({"name": "fs-writes", "requestRate": {
            "counter": "container_fs_writes_total", "window": "5m", "matchLabels": {"container": "app"},
            "target": {"averageValue": "10"},
        }})]
    );
    let filtered = hpa(
        "[{type: Pods, pods: {metric: {name: fs_io_time_seconds}, target: {type: AverageValue, averageValue: '10'}}}]",
    );
    assert_eq!(convert(&config(rule), &filtered).entries, []);
}

fn queue(query: &str, resources: &str) -> String {
    format!(
        "rules:\n- seriesQuery: 'jobs_waiting'\n  resources: {{overrides: {resources}}}\n  metricsQuery: '{query}'\n"
    )
}

#[test]
fn a_gauge_of_the_namespace_becomes_a_queue_depth() {
    for (operator, aggregation) in [("sum", "Sum"), ("max", "Max")] {
        let query =
            format!(r#"{operator}(<<.Series>>{{<<.LabelMatchers>>,queue="mail"}}) by (<<.GroupBy>>)"#);
        let import = convert(&config(&queue(&query, "{namespace: {resource: namespace}}")), &[]);
        assert_eq!(
            entries(&import),
            [json!({"name": "jobs-waiting", "queueDepth": {
                "gauge": "jobs_waiting", "aggregation": aggregation, "matchLabels": {"queue": "mail"},
                "target": {"averageValue": "0"},
            }})]
        );
    }
}

#[test]
fn a_gauge_of_an_object_matches_the_object_of_the_hpa() {
    let rule = queue(
        "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
        "{namespace: {resource: namespace}, svc: {resource: services}}",
    );
    assert!(refused(&convert(&config(&rule), &[])).contains("--hpa"));
    let wanted = hpa(
        "[{type: Object, object: {metric: {name: jobs_waiting}, describedObject: {apiVersion: v1, kind: Service, name: mail}, target: {type: Value, value: '100'}}}]",
    );
    assert_eq!(
        entries(&convert(&config(&rule), &wanted)),
        [json!({"name": "jobs-waiting", "queueDepth": {
            "gauge": "jobs_waiting", "aggregation": "Sum", "matchLabels": {"svc": "mail"}, "target": {"value": "100"},
        }})]
    );
}

#[test]
fn other_queries_with_one_number_become_a_query() {
    let query = |text: &str| {
        let rule = queue(text, "{namespace: {resource: namespace}}");
        let import = convert(&config(&rule), &[]);
        entries(&import)[0]["prometheus"]["query"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        query("avg(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)"),
        "avg by (namespace) (jobs_waiting)"
    );
    assert_eq!(
        query(r#"sum(<<.Series>>{<<.LabelMatchers>>,queue=~"a|b"}) by (<<.GroupBy>>) / 2"#),
        r#"sum by (namespace) (jobs_waiting{queue=~"a|b"}) / 2"#
    );
    let many = queue(
        "avg(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>, queue)",
        "{namespace: {resource: namespace}}",
    );
    assert!(refused(&convert(&config(&many), &[])).contains("more than one series"));
}

fn external(resources: &str, query: &str) -> String {
    format!(
        "externalRules:\n- seriesQuery: 'queue_depth{{name!=\"\"}}'\n  resources: {resources}\n  metricsQuery: '{query}'\n"
    )
}

const EXTERNAL_TARGET: &str = "[{type: External, external: {metric: {name: queue_depth, selector: {matchLabels: {name: mail}}}, target: {type: AverageValue, averageValue: '30'}}}]";

#[test]
fn an_external_rule_takes_the_selector_and_the_target_of_its_hpa() {
    let rule = external(
        "{overrides: {namespace: {resource: namespace}}}",
        "sum(<<.Series>>{<<.LabelMatchers>>}) by (name)",
    );
    assert_eq!(
        entries(&convert(&config(&rule), &hpa(EXTERNAL_TARGET))),
        [json!({"name": "queue-depth", "queueDepth": {
            "gauge": "queue_depth", "aggregation": "Sum", "matchLabels": {"name": "mail"}, "target": {"averageValue": "30"},
        }})]
    );
}

#[test]
fn series_of_an_external_metric_are_added_up_as_the_hpa_does() {
    let rule = external(
        "{overrides: {namespace: {resource: namespace}}}",
        "max(<<.Series>>{<<.LabelMatchers>>}) by (shard)",
    );
    assert_eq!(
        entries(&convert(&config(&rule), &hpa(EXTERNAL_TARGET)))[0]["prometheus"]["query"],
        json!(r#"sum(max by (shard) (queue_depth{name="mail"}))"#)
    );
}

#[test]
fn an_external_rule_across_namespaces_is_refused() {
    let rule = external(
        "{namespaced: false}",
        "sum(<<.Series>>{<<.LabelMatchers>>}) by (name)",
    );
    assert!(refused(&convert(&config(&rule), &hpa(EXTERNAL_TARGET))).contains("namespaced: false"));
}

#[test]
fn what_means_something_else_here_is_refused() {
    for (query, reason) in [
        (
            "sum(irate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)",
            "rate() of a counter",
        ),
        (
            "max(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)",
            "rate() of a counter",
        ),
        (
            "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
            "rate() of a counter",
        ),
        (
            "sum(rate(<<.Series>>{<<.LabelMatchers>>}[2h])) by (<<.GroupBy>>)",
            "at most 1h",
        ),
        (
            "sum(rate(<<.Series>>{<<range $l := .GroupBySlice>>a<<end>>}[2m]))",
            "<<range",
        ),
        ("sum(", "not PromQL"),
    ] {
        let rule = REQUESTS
            .lines()
            .map(|line| match line.split_once("metricsQuery") {
                Some((indent, _)) => format!("{indent}metricsQuery: '{query}'\n"),
                None => format!("{line}\n"),
            });
        let import = convert(&config(&rule.collect::<String>()), &hpa(PODS_TARGET));
        assert!(refused(&import).contains(reason), "{query}: {import:?}");
    }
}

#[test]
fn a_template_of_labels_calls_for_flags_of_the_metrics_server() {
    let rule = REQUESTS.replace(
        "{overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}",
        "{template: 'kube_<<.Resource>>'}",
    );
    assert_eq!(
        convert(&config(&rule), &hpa(PODS_TARGET)).notes,
        [
            "run vas metrics-server with --namespace-label=kube_namespace",
            "run vas metrics-server with --pod-label=kube_pod",
        ]
    );
}

#[test]
fn resource_rules_are_the_metrics_servers() {
    let import = convert(
        &config("resourceRules: {cpu: {containerQuery: x}, window: 5m}"),
        &[],
    );
    assert!(refused(&import).contains("metrics.k8s.io"));
    assert_eq!(import.refused[0].field, "resourceRules.cpu");
}

#[test]
fn a_configmap_is_unpacked_and_other_documents_are_refused() {
    let parse = |text: &str| serde_saphyr::from_str(text).map_err(|error| error.to_string());
    let map = json!({"kind": "ConfigMap", "data": {"config.yaml": REQUESTS}});
    assert_eq!(read(map, parse), Ok(config(REQUESTS)));
    assert_eq!(
        read(json!({"kind": "ConfigMap", "data": {}}), parse),
        Err(ConfigError::EmptyConfigMap)
    );
    assert_eq!(
        read(json!({"kind": "Deployment"}), parse),
        Err(ConfigError::NoRules)
    );
    assert!(matches!(
        read(json!({"rules": 5}), parse),
        Err(ConfigError::Malformed(_))
    ));
}
