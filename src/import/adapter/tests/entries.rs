//! Which queries become a request rate, a queue depth or a query.

use super::*;

#[test]
fn a_rate_by_pod_becomes_a_request_rate_with_the_target_of_its_hpa() {
    let import = convert(&config(REQUESTS), Some(&hpa(PODS_TARGET)));
    assert_eq!(
        entry(&import),
        json!({"name": "http-requests-per-second", "requestRate": {
            "counter": "http_requests_total", "window": "2m", "target": {"averageValue": "500m"},
        }})
    );
}

#[test]
fn without_an_hpa_the_target_is_a_placeholder_that_validation_points_at() {
    let import = convert(&config(REQUESTS), None);
    assert_eq!(
        entry(&import)["requestRate"]["target"]["averageValue"],
        json!("0")
    );
    assert!(import.entries[0].comments[1].starts_with("fill in target.averageValue"));
}

#[test]
fn groups_written_by_hand_are_those_of_the_request() {
    for by in ["namespace, pod", "pod", "pod, namespace"] {
        let rule = requests(&format!(
            "sum by ({by}) (rate(http_requests_total{{<<.LabelMatchers>>}}[1m]))"
        ));
        let entry = entry(&convert(&rule, Some(&hpa(PODS_TARGET))));
        assert_eq!(entry["requestRate"]["window"], json!("1m"), "{by}");
    }
    let several = requests("sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>, code)");
    assert!(refused(&convert(&several, Some(&hpa(PODS_TARGET)))).contains("several series for a pod"));
}

#[test]
fn a_rate_that_is_not_summed_says_that_it_will_be() {
    let import = convert(
        &requests("rate(<<.Series>>{<<.LabelMatchers>>}[1m])"),
        Some(&hpa(PODS_TARGET)),
    );
    assert_eq!(
        entry(&import)["requestRate"]["counter"],
        json!("http_requests_total")
    );
    assert!(
        import.entries[0]
            .comments
            .iter()
            .any(|comment| comment.contains("does not sum"))
    );
}

#[test]
fn matchers_of_a_rate_become_labels_and_expressions() {
    let with = |matcher: &str| {
        config(&REQUESTS.replace("<<.LabelMatchers>>", &format!("<<.LabelMatchers>>,{matcher}")))
    };
    let import = convert(
        &with(r#"code="200",pod!="",container!="POD",method=~"GET|PUT",path!~"/internal.*""#),
        None,
    );
    let rate = &entry(&import)["requestRate"];
    assert_eq!(rate["matchLabels"], json!({"code": "200"}));
    assert_eq!(
        rate["matchExpressions"],
        json!([
            {"key": "container", "operator": "NotIn", "values": ["POD"]},
            {"key": "method", "operator": "Matches", "values": ["GET|PUT"]},
            {"key": "path", "operator": "NotMatches", "values": ["/internal.*"]},
        ])
    );
    // A query that fits no other source becomes a `query`.
    for matcher in [r#"a!="1",b!="1",c!="1",d!="1",e!="1""#, r#"path=~"a{100}""#] {
        let import = convert(&with(matcher), None);
        let query = entry(&import)["podGauge"]["query"].as_str().unwrap().to_owned();
        assert!(
            query.starts_with("sum by (pod) (rate(http_requests_total{"),
            "{query}"
        );
    }
}

#[test]
fn a_gauge_of_each_pod_becomes_a_pod_gauge() {
    for (text, aggregation) in [
        (
            "sum(<<.Series>>{<<.LabelMatchers>>,state=\"busy\"}) by (<<.GroupBy>>)",
            "Sum",
        ),
        (
            "max(<<.Series>>{<<.LabelMatchers>>,state=\"busy\"}) by (namespace, pod)",
            "Max",
        ),
        ("<<.Series>>{<<.LabelMatchers>>,state=\"busy\"}", "Sum"),
    ] {
        let import = convert(&requests(text), Some(&hpa(PODS_TARGET)));
        assert_eq!(
            entry(&import)["podGauge"],
            json!({"gauge": "http_requests_total", "matchLabels": {"state": "busy"}, "aggregation": aggregation,
                "target": {"averageValue": "500m"}}),
            "{text}"
        );
    }
}

#[test]
fn other_queries_with_one_number_for_each_pod_become_a_query() {
    for (text, query) in [
        (
            "sum(irate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)",
            "sum by (pod) (irate(http_requests_total[2m]))",
        ),
        (
            "max(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>) * 60",
            "max by (pod) (rate(http_requests_total[2m])) * 60",
        ),
        (
            "avg(a{<<.LabelMatchers>>}) by (<<.GroupBy>>) / on(<<.GroupBy>>) avg(b{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
            "avg by (pod) (a) / on (pod) avg by (pod) (b)",
        ),
        (
            "histogram_quantile(0.95, sum(rate(a_bucket{<<.LabelMatchers>>}[2m])) by (le, <<.GroupBy>>))",
            "histogram_quantile(0.95, sum by (le, pod) (rate(a_bucket[2m])))",
        ),
    ] {
        let import = convert(&requests(text), Some(&hpa(PODS_TARGET)));
        assert_eq!(entry(&import)["podGauge"]["query"], json!(query));
    }
}

#[test]
fn a_gauge_of_the_namespace_becomes_a_queue_depth() {
    for (operator, aggregation) in [("sum", "Sum"), ("max", "Max")] {
        let query =
            format!(r#"{operator}(<<.Series>>{{<<.LabelMatchers>>,queue="mail"}}) by (<<.GroupBy>>)"#);
        assert_eq!(
            entry(&convert(&queue(&query, NAMESPACE), None)),
            json!({"name": "jobs-waiting", "queueDepth": {
                "gauge": "jobs_waiting", "aggregation": aggregation, "matchLabels": {"queue": "mail"},
                "target": {"averageValue": "0"},
            }})
        );
    }
}

#[test]
fn a_gauge_of_an_object_matches_the_object_of_the_hpa() {
    let rule = queue("sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)", SERVICE);
    assert!(refused(&convert(&rule, None)).contains("--hpa"));
    assert_eq!(
        entry(&convert(&rule, Some(&hpa(SERVICE_TARGET)))),
        json!({"name": "jobs-waiting", "queueDepth": {
            "gauge": "jobs_waiting", "aggregation": "Sum", "matchLabels": {"svc": "mail"}, "target": {"value": "100"},
        }})
    );
}

#[test]
fn an_ingress_is_found_by_its_resource() {
    let target = SERVICE_TARGET.replace(
        "apiVersion: v1, kind: Service",
        "apiVersion: networking.k8s.io/v1, kind: Ingress",
    );
    for resource in ["ingress", "ingresses"] {
        let overrides = format!(
            "{{namespace: {{resource: namespace}}, ingress: {{group: networking.k8s.io, resource: {resource}}}}}"
        );
        let rule = queue(
            "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
            &overrides,
        );
        let entry = entry(&convert(&rule, Some(&hpa(&target))));
        assert_eq!(entry["queueDepth"]["matchLabels"], json!({"ingress": "mail"}));
    }
}

#[test]
fn an_external_rule_takes_the_selector_and_the_target_of_its_hpa() {
    let rule = external(OWN, "sum(<<.Series>>{<<.LabelMatchers>>}) by (name)");
    assert_eq!(
        entry(&convert(&rule, Some(&hpa(EXTERNAL_TARGET)))),
        json!({"name": "queue-depth", "queueDepth": {
            "gauge": "queue_depth", "aggregation": "Sum", "matchLabels": {"name": "mail"}, "target": {"averageValue": "30"},
        }})
    );
}

#[test]
fn expressions_of_the_selector_go_into_the_query() {
    let rule = external(OWN, "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)");
    let target = |expression: &str| {
        EXTERNAL_TARGET.replace(
            "matchLabels: {name: mail}",
            &format!("matchExpressions: [{expression}]"),
        )
    };
    for (expression, query) in [
        (
            "{key: name, operator: In, values: [a, b]}",
            r#"queue_depth{name=~"a|b"}"#,
        ),
        (
            "{key: name, operator: NotIn, values: [a]}",
            r#"queue_depth{name!="a"}"#,
        ),
        ("{key: name, operator: Exists}", r#"queue_depth{name!=""}"#),
    ] {
        let text = entry(&convert(&rule, Some(&hpa(&target(expression)))))["prometheus"]["query"].to_string();
        assert!(text.contains(&query.replace('"', "\\\"")), "{text}");
    }
    let one = target("{key: name, operator: In, values: [a]}");
    assert_eq!(
        entry(&convert(&rule, Some(&hpa(&one))))["queueDepth"]["matchLabels"],
        json!({"name": "a"})
    );
    let no_label = EXTERNAL_TARGET.replace("name: mail", "app.kubernetes.io/name: mail");
    assert!(!convert(&rule, Some(&hpa(&no_label))).refused.is_empty());
}

#[test]
fn names_with_dots_and_colons_are_kept_in_the_series() {
    let rule = config(
        "rules:\n- seriesQuery: 'app:heap_used'\n  resources: {template: '<<.Resource>>'}\n  name: {as: heap.used}\n  metricsQuery: 'max(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'\n",
    );
    let target = SERVICE_TARGET.replace("jobs_waiting", "heap.used");
    let entry = entry(&convert(&rule, Some(&hpa(&target))));
    assert_eq!(entry["name"], json!("heap-used"));
    assert_eq!(entry["queueDepth"]["gauge"], json!("app:heap_used"));
}

#[test]
fn labels_of_a_rule_call_for_flags_of_the_metrics_server() {
    let rule = |resources: &str| {
        REQUESTS.replace(
            "{overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}",
            resources,
        )
    };
    assert_eq!(
        convert(
            &config(&rule("{template: 'kube_<<.Resource>>'}")),
            Some(&hpa(PODS_TARGET))
        )
        .notes,
        [
            "run vas metrics-server with --namespace-label=kube_namespace",
            "run vas metrics-server with --pod-label=kube_pod",
        ]
    );
}

#[test]
fn several_labels_for_the_namespace_call_for_its_configuration() {
    let rules = format!(
        "{REQUESTS}{}",
        r"- seriesQuery: 'istio_requests_total'
  resources: {overrides: {destination_namespace: {resource: namespace}}}
  metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)'
"
    );
    let import = convert(&config(&rules), None);
    let [note] = import.notes.as_slice() else {
        panic!("{import:?}")
    };
    assert!(
        note.contains("--config") && note.contains("(destination_namespace, namespace)"),
        "{note}"
    );
}

#[test]
fn resource_rules_are_the_metrics_servers() {
    let import = convert(
        &config("resourceRules: {cpu: {containerQuery: x}, window: 5m}"),
        None,
    );
    assert!(refused(&import).contains("metrics.k8s.io"));
    assert_eq!(import.refused[0].field, "resourceRules.cpu");
}
