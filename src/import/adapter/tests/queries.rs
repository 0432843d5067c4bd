//! Queries that become the `query` of an entry, and those that cannot.

use super::*;

fn of_namespace(text: &str) -> Import {
    convert(&queue(text, NAMESPACE), None)
}

fn query_of(import: &Import) -> String {
    entry(import)["prometheus"]["query"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn other_queries_with_one_number_become_a_query() {
    for (text, query) in [
        (
            "avg(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
            "avg by (namespace) (jobs_waiting)",
        ),
        (
            r#"sum(<<.Series>>{<<.LabelMatchers>>,queue=~"a|b"}) by (<<.GroupBy>>) / 2"#,
            r#"sum by (namespace) (jobs_waiting{queue=~"a|b"}) / 2"#,
        ),
        (
            "histogram_quantile(0.95, sum(rate(<<.Series>>_bucket{<<.LabelMatchers>>}[5m])) by (le, <<.GroupBy>>))",
            "histogram_quantile(0.95, sum by (le, namespace) (rate(jobs_waiting_bucket[5m])))",
        ),
    ] {
        assert_eq!(query_of(&of_namespace(text)), query);
    }
    let many = "avg(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>, queue)";
    assert!(refused(&of_namespace(many)).contains("more than one series"));
}

#[test]
fn groups_are_filled_in_wherever_they_stand() {
    for (text, query) in [
        (
            "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>) / on(<<.GroupBy>>) sum(b{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
            r#"sum by (svc) (jobs_waiting{svc="mail"}) / on (svc) sum by (svc) (b{svc="mail"})"#,
        ),
        (
            r#"max(label_replace(<<.Series>>{<<.LabelMatchers>>}, "<<.GroupBy>>", "$1", "name", "(.*)")) by (<<.GroupBy>>)"#,
            r#"max by (svc) (label_replace(jobs_waiting{svc="mail"}, "svc", "$1", "name", "(.*)"))"#,
        ),
        (
            "sum by (<<index .GroupBySlice 0>>) (<<.Series>>{<<.LabelMatchers>>}) * 2",
            r#"sum by (svc) (jobs_waiting{svc="mail"}) * 2"#,
        ),
    ] {
        let import = convert(&queue(text, SERVICE), Some(&hpa(SERVICE_TARGET)));
        assert_eq!(query_of(&import), query);
    }
    let without = "sum(<<.Series>>{<<.LabelMatchers>>}) without (<<.GroupBy>>)";
    let import = convert(&queue(without, SERVICE), Some(&hpa(SERVICE_TARGET)));
    assert!(refused(&import).contains("carries the label svc"));
}

#[test]
fn values_of_the_request_are_filled_in() {
    let text = r#"sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>) + sum(b{svc="<<index .LabelValuesByName "svc">>-base",namespace="<<index .LabelValuesByName "namespace">>",<<.LabelMatchers>>}) by (<<.GroupBy>>)"#;
    let import = convert(&queue(text, SERVICE), Some(&hpa(SERVICE_TARGET)));
    // No series has both names, and the message says so.
    assert!(refused(&import).contains(r#"svc="mail-base""#));
    let text = text.replace("svc=\"<<", "app=\"<<");
    let import = convert(&queue(&text, SERVICE), Some(&hpa(SERVICE_TARGET)));
    assert!(query_of(&import).contains(r#"app="mail-base""#), "{import:?}");
}

#[test]
fn a_query_whose_result_names_no_object_has_no_value_and_is_refused() {
    let import = convert(
        &queue("avg(<<.Series>>{<<.LabelMatchers>>})", SERVICE),
        Some(&hpa(SERVICE_TARGET)),
    );
    assert!(refused(&import).contains("by (<<.GroupBy>>)"));
}

#[test]
fn what_may_be_several_series_says_so() {
    let import = convert(
        &queue("<<.Series>>{<<.LabelMatchers>>} / 1024", SERVICE),
        Some(&hpa(SERVICE_TARGET)),
    );
    assert_eq!(query_of(&import), r#"jobs_waiting{svc="mail"} / 1024"#);
    assert!(
        import.entries[0]
            .comments
            .iter()
            .any(|comment| comment.contains("has to give one series"))
    );
}

#[test]
fn a_ratio_says_what_nothing_by_nothing_is() {
    let text = "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>) / sum(b{<<.LabelMatchers>>}) by (<<.GroupBy>>)";
    let import = convert(&queue(text, SERVICE), Some(&hpa(SERVICE_TARGET)));
    assert!(
        import.entries[0]
            .comments
            .iter()
            .any(|comment| comment.contains("0/0")),
        "{import:?}"
    );
}

#[test]
fn series_of_an_external_metric_are_added_up_as_the_hpa_does() {
    for (text, query) in [
        (
            "max(<<.Series>>{<<.LabelMatchers>>}) by (shard)",
            r#"sum(max by (shard) (queue_depth{name="mail"}))"#,
        ),
        (
            "<<.Series>>{<<.LabelMatchers>>} * 2",
            r#"sum(queue_depth{name="mail"} * 2)"#,
        ),
        (
            "max(<<.Series>>{<<.LabelMatchers>>}) by (name) * 2",
            r#"max by (name) (queue_depth{name="mail"}) * 2"#,
        ),
    ] {
        let import = convert(&external(OWN, text), Some(&hpa(EXTERNAL_TARGET)));
        assert_eq!(query_of(&import), query);
    }
}

#[test]
fn the_groups_of_an_external_metric_are_empty() {
    let import = convert(
        &external(OWN, "avg(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)"),
        Some(&hpa(EXTERNAL_TARGET)),
    );
    let query = query_of(&import);
    assert!(
        query.starts_with("avg") && query.ends_with(r#"(queue_depth{name="mail"})"#),
        "{query}"
    );
}

#[test]
fn what_means_something_else_here_is_refused() {
    for (query, reason) in [
        (
            "sum(rate(<<.Series>>{<<range $l := .GroupBySlice>>a<<end>>}[2m]))",
            "<<range",
        ),
        (
            "sum(rate(<<.Series>>{pod=<<.LabelMatchers>>}[2m])) by (pod)",
            "not PromQL",
        ),
        ("sum(", "not PromQL"),
        (
            "sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (code)",
            "carries the label pod",
        ),
    ] {
        let import = convert(&requests(query), Some(&hpa(PODS_TARGET)));
        assert!(refused(&import).contains(reason), "{query}: {import:?}");
    }
}

#[test]
fn a_query_of_any_size_ends_in_words() {
    for query in [
        format!("{}1", "-".repeat(20_000)),
        format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!(
            "sum(<<.Series>>{{{}<<.LabelMatchers>>}})",
            "a=~\"x\",".repeat(20_000)
        ),
    ] {
        assert!(!refused(&of_namespace(&query)).is_empty());
    }
    let rule = config(&format!(
        "rules: [{{seriesQuery: '{}a', metricsQuery: x}}]",
        "-".repeat(20_000)
    ));
    assert!(!refused(&convert(&rule, None)).is_empty());
}

#[test]
fn a_query_of_thousands_of_signs_is_refused_and_or_vector_is_remarked() {
    let rule = |query: &str| {
        config(&format!(
            "rules:\n- seriesQuery: a\n  resources: {{namespaced: true, template: <<.Resource>>}}\n  metricsQuery: '{query}'\n"
        ))
    };
    let import = convert(&rule(&("-".repeat(20_000) + "<<.Series>>")), None);
    assert_eq!(import.entries, []);
    assert!(
        import.refused[0].why.contains("too complex"),
        "{:?}",
        import.refused
    );
    let external = config(
        "externalRules:\n- seriesQuery: a\n  resources: {template: <<.Resource>>}\n  metricsQuery: 'sum(<<.Series>>{<<.LabelMatchers>>}) or vector(0)'\n",
    );
    let import = convert(&external, None);
    assert!(
        import.entries[0]
            .comments
            .iter()
            .any(|comment| comment.contains("onMissing: Zero")),
        "{import:?}"
    );
}
