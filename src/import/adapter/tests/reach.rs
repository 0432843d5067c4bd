//! The series that a query reads: exactly those that prometheus-adapter reads, or a comment tells the
//! difference.

use super::*;

#[test]
fn a_total_without_the_matchers_of_the_request_is_not_narrowed() {
    for query in [
        r#"max(queue_depth{name="mail"})"#,
        "sum(<<.Series>>)",
        "sum(<<.Series>>{<<.LabelMatchers>>}) / scalar(sum(all_queues))",
    ] {
        let import = convert(&external(OWN, query), Some(&hpa(EXTERNAL_TARGET)));
        let why = refused(&import);
        assert!(
            why.contains("without <<.LabelMatchers>>") && why.contains("queryNamespaceMatcher: false"),
            "{why}"
        );
    }
    let import = convert(
        &queue("sum(<<.Series>>) by (<<.GroupBy>>)", SERVICE),
        Some(&hpa(SERVICE_TARGET)),
    );
    assert!(refused(&import).contains("jobs_waiting is without"));
}

#[test]
fn pods_without_the_matchers_of_the_request_are_found_by_name_and_that_is_told() {
    let target = PODS_TARGET.replace(
        "per_second}",
        "per_second, selector: {matchLabels: {code: '200'}}}",
    );
    let import = convert(
        &requests("sum(rate(<<.Series>>[2m])) by (<<.GroupBy>>)"),
        Some(&hpa(&target)),
    );
    assert_eq!(
        entry(&import)["requestRate"],
        json!({"counter": "http_requests_total", "window": "2m", "target": {"averageValue": "500m"}}),
        "prometheus-adapter ignores the selector, so it is no matcher here"
    );
    assert!(
        import.entries[0]
            .comments
            .iter()
            .any(|comment| comment.contains("every namespace"))
    );
}

#[test]
fn a_namespace_in_the_query_has_to_be_that_of_the_hpa() {
    let rule = external(OWN, r#"sum(<<.Series>>{namespace="shop",<<.LabelMatchers>>})"#);
    let import = convert(&rule, Some(&hpa(EXTERNAL_TARGET)));
    assert_eq!(
        entry(&import)["queueDepth"]["matchLabels"],
        json!({"name": "mail"})
    );

    let unknown = convert(&rule, Some(&hpa_in(None, EXTERNAL_TARGET)));
    assert!(refused(&unknown).contains("names its own namespace"));
    let other = convert(&rule, Some(&hpa_in(Some("prod"), EXTERNAL_TARGET)));
    assert!(refused(&other).contains("the HPA is in namespace prod"));
    let none = convert(&rule, None);
    assert!(refused(&none).contains("names its own namespace"));
}

#[test]
fn a_namespace_in_the_query_stands_for_the_matchers_of_the_request() {
    let rule = external(OWN, r#"max(queue_depth{namespace="shop",name="letters"})"#);
    let import = convert(&rule, Some(&hpa(EXTERNAL_TARGET)));
    assert_eq!(
        entry(&import)["queueDepth"]["matchLabels"],
        json!({"name": "letters"}),
        "prometheus-adapter ignores the selector"
    );
}

#[test]
fn a_query_that_contradicts_the_selector_is_refused() {
    for matcher in [r#"name="letters""#, r#"name!="mail""#, r#"name=~"lett.*""#] {
        let rule = external(OWN, &format!("sum(<<.Series>>{{{matcher},<<.LabelMatchers>>}})"));
        assert!(
            refused(&convert(&rule, Some(&hpa(EXTERNAL_TARGET)))).contains("no series has both"),
            "{matcher}"
        );
    }
    for matcher in [r#"name="mail""#, r#"name=~"m.*|letters""#, r#"name!="""#] {
        let rule = external(OWN, &format!("sum(<<.Series>>{{{matcher},<<.LabelMatchers>>}})"));
        let import = convert(&rule, Some(&hpa(EXTERNAL_TARGET)));
        assert_eq!(
            entry(&import)["queueDepth"]["matchLabels"],
            json!({"name": "mail"}),
            "{matcher}"
        );
    }
}

#[test]
fn a_selector_that_names_a_namespace_is_that_of_the_hpa_or_refused() {
    let rule = external(OWN, "sum(<<.Series>>{<<.LabelMatchers>>})");
    let target = |namespace: &str| {
        EXTERNAL_TARGET.replace("name: mail", &format!("name: mail, namespace: {namespace}"))
    };
    let own = convert(&rule, Some(&hpa(&target("shop"))));
    assert_eq!(entry(&own)["queueDepth"]["matchLabels"], json!({"name": "mail"}));
    assert!(refused(&convert(&rule, Some(&hpa(&target("prod"))))).contains("finds nothing"));
}

#[test]
fn an_external_rule_across_namespaces_points_to_a_server_that_does_not_bind() {
    let rule = external(
        "{namespaced: false}",
        "sum(<<.Series>>{<<.LabelMatchers>>}) by (name)",
    );
    let import = convert(&rule, Some(&hpa(EXTERNAL_TARGET)));
    let why = refused(&import);
    for words in [
        "namespaced: false",
        "queryNamespaceMatcher: false",
        r#"sum(sum by (name) (queue_depth{name="mail"}))"#,
    ] {
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn a_rule_without_a_label_for_the_namespace_serves_no_hpa() {
    let import = convert(
        &external("{}", "sum(<<.Series>>{<<.LabelMatchers>>})"),
        Some(&hpa(EXTERNAL_TARGET)),
    );
    assert!(refused(&import).contains("no label for the namespace"));
}

#[test]
fn a_metric_of_another_namespace_is_refused() {
    let target = SERVICE_TARGET.replace("kind: Service, name: mail", "kind: Namespace, name: prod");
    let rule = queue(
        "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
        NAMESPACE,
    );
    assert!(refused(&convert(&rule, Some(&hpa(&target)))).contains("namespace prod"));
    let own = target.replace("prod", "shop");
    assert_eq!(
        entry(&convert(&rule, Some(&hpa(&own))))["queueDepth"]["gauge"],
        json!("jobs_waiting")
    );
}
