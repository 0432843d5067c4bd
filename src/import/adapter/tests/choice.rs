//! The choice of the rule that serves a metric.

use super::*;

/// Rules that all expose the metric `requests`.
fn rules(series: &[&str]) -> Sources {
    let rules = series.iter().map(|series| {
        format!(
            "- seriesQuery: '{series}'\n  resources: {{template: <<.Resource>>}}\n  name: {{as: requests}}\n  metricsQuery: 'sum(rate(<<.Series>>{{<<.LabelMatchers>>}}[1m])) by (<<.GroupBy>>)'\n"
        )
    });
    config(&format!("rules:\n{}", rules.collect::<String>()))
}

fn wanted_requests() -> Vec<HpaMetric> {
    hpa(&PODS_TARGET.replace("http_requests_per_second", "requests"))
}

#[test]
fn of_several_rules_for_a_metric_the_last_is_taken_and_the_others_are_marked() {
    for wanted in [Some(wanted_requests()), None] {
        let import = convert(&rules(&["a_total", "b_total"]), wanted.as_deref());
        assert_eq!(entry(&import)["requestRate"]["counter"], json!("b_total"));
        let [alternative] = import.entries[0].alternatives.as_slice() else {
            panic!("{import:?}")
        };
        assert_eq!(
            (alternative.field.as_str(), alternative.series.as_str()),
            ("rules[0]", "a_total")
        );
        assert_eq!(
            alternative
                .metric
                .as_ref()
                .unwrap()
                .request_rate
                .as_ref()
                .unwrap()
                .counter,
            "a_total"
        );
        assert!(
            import.entries[0]
                .comments
                .iter()
                .any(|comment| comment.contains("a guess")),
            "{import:?}"
        );
    }
}

#[test]
fn an_expression_with_several_words_offers_each() {
    let import = convert(
        &rules(&[r#"{__name__=~"^http_(requests|hits)_total$"}"#]),
        Some(&wanted_requests()),
    );
    assert_eq!(entry(&import)["requestRate"]["counter"], json!("http_hits_total"));
    assert_eq!(import.entries[0].alternatives[0].series, "http_requests_total");
}

#[test]
fn an_expression_with_one_word_is_a_name() {
    for series in [
        r#"{__name__=~"^http_requests_total$"}"#,
        r#"{__name__=~"http_requests_total",pod!=""}"#,
    ] {
        let import = convert(&rules(&[series]), Some(&wanted_requests()));
        assert_eq!(
            entry(&import)["requestRate"]["counter"],
            json!("http_requests_total")
        );
        assert_eq!(import.entries[0].alternatives, []);
    }
}

#[test]
fn a_name_that_is_fixed_and_a_literal_pattern_convert() {
    let text = REQUESTS
        .replace(
            r#"matches: "^(.*)_total$""#,
            r#"matches: "^http_requests_total$""#,
        )
        .replace("${1}_per_second", "http_requests_per_second")
        .replace("http_requests_total{", r#"{__name__=~"^http_.*","#);
    let import = convert(&config(&text), Some(&hpa(PODS_TARGET)));
    assert_eq!(
        entry(&import)["requestRate"]["counter"],
        json!("http_requests_total")
    );
}

#[test]
fn two_groups_convert() {
    let text = REQUESTS
        .replace(r#"matches: "^(.*)_total$""#, r#"matches: "^(http)_(.*)_total$""#)
        .replace("${1}_per_second", "${1}_${2}_per_second")
        .replace("http_requests_total{", "{");
    let import = convert(&config(&text), Some(&hpa(PODS_TARGET)));
    assert_eq!(
        entry(&import)["requestRate"]["counter"],
        json!("http_requests_total")
    );
    assert_eq!(import.entries[0].alternatives, []);
}

#[test]
fn a_name_that_goes_on_is_marked_as_a_guess() {
    let text = REQUESTS
        .replace("_total$", "_total")
        .replace("http_requests_total{", "{");
    let import = convert(&config(&text), Some(&hpa(PODS_TARGET)));
    assert_eq!(
        entry(&import)["requestRate"]["counter"],
        json!("http_requests_total")
    );
    assert!(
        import.entries[0]
            .comments
            .iter()
            .any(|comment| comment.contains("a guess")),
        "{import:?}"
    );
}

#[test]
fn a_fixed_name_for_any_series_is_no_guess_at_a_series() {
    let open = rules(&[r#"{__name__=~"^http_.*"}"#]);
    assert!(refused(&convert(&open, Some(&wanted_requests()))).contains("every series it finds"));
    let text = r#"
rules:
- seriesQuery: '{__name__=~"^http_.*"}'
  resources: {template: <<.Resource>>}
  name: {as: requests}
  metricsQuery: 'sum(rate(http_all_total{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)'
"#;
    let import = convert(&config(text), Some(&wanted_requests()));
    assert_eq!(entry(&import)["requestRate"]["counter"], json!("http_all_total"));
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
    assert!(refused(&convert(&config(rule), None)).contains("--hpa"));
    let wanted = |name: &str| hpa(&PODS_TARGET.replace("http_requests_per_second", name));
    let import = convert(&config(rule), Some(&wanted("fs_writes")));
    assert_eq!(
        entry(&import),
        json!({"name": "fs-writes", "requestRate": {
            "counter": "container_fs_writes_total", "window": "5m", "matchLabels": {"container": "app"},
            "target": {"averageValue": "500m"},
        }})
    );
    assert!(refused(&convert(&config(rule), Some(&wanted("fs_io_time_seconds")))).contains("no rule"));
}

#[test]
fn a_metric_that_no_rule_serves_is_listed() {
    let other = hpa(&PODS_TARGET.replace("http_requests_per_second", "other"));
    let import = convert(&config(REQUESTS), Some(&other));
    assert!(refused(&import).contains("no rule of rules serves it"));
    assert_eq!(import.refused[0].field, "HPA shop/old");
    assert_eq!(import.refused[0].series, "other");
    assert_eq!(import.unused, ["rules[0]"]);
}

#[test]
fn a_metric_of_the_other_group_is_told_apart() {
    let external = "[{type: External, external: {metric: {name: http_requests_per_second}, target: {type: AverageValue, averageValue: '30'}}}]";
    let import = convert(&config(REQUESTS), Some(&hpa(external)));
    assert!(refused(&import).contains("rules[0] serves it in custom.metrics.k8s.io"));
}

#[test]
fn only_rules_with_a_label_for_the_object_can_serve_it() {
    let text = format!(
        "{REQUESTS}{}",
        REQUESTS
            .replace("rules:\n", "")
            .replace(", pod: {resource: pod}", "")
    );
    let import = convert(&config(&text), Some(&hpa(PODS_TARGET)));
    assert_eq!(
        entry(&import)["requestRate"]["counter"],
        json!("http_requests_total")
    );
    assert_eq!(import.entries[0].alternatives, []);
}

#[test]
fn each_hpa_has_names_of_its_own() {
    let mut wanted = hpa(PODS_TARGET);
    wanted.extend(hpa_in(Some("prod"), PODS_TARGET));
    let import = convert(&config(REQUESTS), Some(&wanted));
    let names: Vec<_> = import
        .entries
        .iter()
        .map(|entry| (entry.hpa.as_deref().unwrap(), entry.metric.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("shop/old", "http-requests-per-second"),
            ("prod/old", "http-requests-per-second")
        ]
    );
}
