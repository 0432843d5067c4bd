//! Each rule finds what it is for: a board that is well is broken in one place.

mod meaning;

use serde_json::{Value, json};

use super::{findings, promql};
use crate::monitoring::{
    dashboards::{boards, render},
    families::{Kind, load_test::LAST_SECOND_LATENCY, operator, scalings},
};

/// A board that is well: one row, because reading expressions takes its time.
fn well() -> Value {
    let [_, mut board, _] = boards();
    board.rows.retain(|row| row.title == "Replicas");
    render::board(&board, &boards(), None)
}

/// Breaks a board at a place, and looks for words in what is found.
fn refused(place: &str, value: Value, words: &str) {
    let mut board = well();
    let at = board
        .pointer_mut(place)
        .unwrap_or_else(|| panic!("there is no {place}"));
    *at = value;
    let found = findings(&board);
    assert!(
        found.iter().any(|finding| finding.contains(words)),
        "{words}: {found:?}"
    );
}

/// The place of a panel.
fn panel(title: &str) -> String {
    let board = well();
    let panels = board["panels"].as_array().unwrap();
    let at = panels.iter().position(|panel| panel["title"] == title);
    format!("/panels/{}", at.unwrap_or_else(|| panic!("there is no {title}")))
}

#[test]
fn a_board_that_is_well_has_no_findings() {
    assert_eq!(findings(&well()), Vec::<String>::new());
}

#[test]
fn settings_of_a_board() {
    refused("/id", json!(7), "id is not null");
    refused("/editable", json!(true), "editable is not false");
    refused("/schemaVersion", json!(38), "schemaVersion is not 39");
    refused("/refresh", json!("1m"), "refresh is not");
    refused("/uid", json!(""), "there is no uid");
    refused("/uid", json!("x".repeat(41)), "more than 40 characters");
    refused("/description", json!(""), "there is no description");
}

#[test]
fn links_of_a_board() {
    refused("/links", json!([]), "does not link to the other boards");
    refused(
        "/links/0/includeVars",
        json!(false),
        "loses variables or the time",
    );
    refused("/links/0/keepTime", json!(false), "loses variables or the time");
    refused("/links/0/url", json!("/d/vas-autoscaling"), "links to itself");
}

#[test]
fn variables_of_a_board() {
    let at = "/templating/list";
    refused(
        &format!("{at}/0/query"),
        json!("loki"),
        "is not the Prometheus data source",
    );
    refused(
        &format!("{at}/1/name"),
        json!("stage"),
        "there is no variable environment",
    );
    refused(
        &format!("{at}/1/refresh"),
        json!(1),
        "is not reloaded when the time changes",
    );
    refused(
        &format!("{at}/2/multi"),
        json!(false),
        "does not take several values",
    );
    refused(
        &format!("{at}/2/includeAll"),
        json!(false),
        "does not take several values",
    );
    refused(
        &format!("{at}/2/datasource/uid"),
        json!("x"),
        "variable namespace has another data source",
    );
    refused(
        &format!("{at}/1/name"),
        json!("region"),
        "variable region is used nowhere",
    );
    let query = |series: &str, label: &str| json!(format!("label_values({series}, {label})"));
    let info = scalings::SCALING_INFO.name;
    refused(
        &format!("{at}/1/query/query"),
        query(info, "region"),
        "has no label region",
    );
    refused(
        &format!("{at}/1/query/query"),
        query("no_family", "namespace"),
        "nothing exports",
    );
    refused(&format!("{at}/1/query/query"), json!(info), "is no label_values");
}

#[test]
fn annotations_of_a_board() {
    refused("/annotations/list", json!([]), "an annotation is missing");
    refused(
        "/annotations/list/0/datasource/uid",
        json!("x"),
        "annotation Rescales: it has another data source",
    );
    refused(
        "/annotations/list/0/titleFormat",
        json!("{{pod}}"),
        "its legend has pod",
    );
    refused(
        "/annotations/list/0/expr",
        json!("sum("),
        "annotation Rescales: sum(",
    );
}

#[test]
fn what_a_panel_has() {
    let at = panel("Rescales");
    refused(&format!("{at}/title"), json!(""), "it has no title");
    refused(&format!("{at}/description"), json!(""), "it has no description");
    refused(
        &format!("{at}/description"),
        json!("Rescales"),
        "its description is no sentence",
    );
    refused(
        &format!("{at}/type"),
        json!("graph"),
        "Grafana has no panel graph",
    );
    refused(
        &format!("{at}/datasource"),
        json!({"type": "prometheus", "uid": "abc"}),
        "another data source",
    );
    refused(&format!("{at}/targets"), json!([]), "it has no query");
    refused(&format!("{at}/title"), json!("Live pods"), "two panels of a row");
}

#[test]
fn how_a_panel_shows_values() {
    let at = format!(
        "{}/fieldConfig/defaults",
        panel("Part of maxReplicas that is asked for")
    );
    refused(
        &format!("{at}/unit"),
        json!("req/s"),
        "Grafana has no unit \"req/s\"",
    );
    refused(&format!("{at}/unit"), Value::Null, "Grafana has no unit");
    refused(
        &format!("{at}/thresholds/steps"),
        json!([]),
        "do not begin with a colour",
    );
    refused(
        &format!("{at}/thresholds/steps/1/value"),
        json!(2),
        "its thresholds do not rise",
    );
    refused(&at, json!({"units": "s"}), "Grafana knows no field units there");
    refused(
        &format!("{at}/custom"),
        json!({"lineWith": 1}),
        "Grafana knows no field lineWith there",
    );
    let styled = format!("{}/fieldConfig/overrides/0", panel("Replicas and bounds"));
    refused(
        &format!("{styled}/matcher/options"),
        json!("Z"),
        "which there is not",
    );
    let unit = json!([{"id": "unit", "value": "replicas"}]);
    refused(
        &format!("{styled}/properties"),
        unit,
        "Grafana has no unit \"replicas\"",
    );
}

#[test]
fn where_a_panel_stands() {
    let at = format!("{}/gridPos", panel("Rescales"));
    refused(&format!("{at}/w"), json!(30), "does not fit into 24 columns");
    refused(&format!("{at}/w"), json!(11), "fill 23 of 24 columns");
    refused(&format!("{at}/h"), json!(9), "lies over another panel");
    refused(
        &format!("{}/id", panel("Rescales")),
        json!(1),
        "another panel has its id",
    );
}

#[test]
fn what_a_query_has() {
    let at = format!("{}/targets/0", panel("Rescales"));
    refused(
        &format!("{at}/datasource"),
        json!({"type": "prometheus", "uid": "abc"}),
        "query A: it has another",
    );
    refused(&format!("{at}/legendFormat"), json!(""), "it has no legend");
    refused(
        &format!("{at}/legendFormat"),
        json!("{{pod}}"),
        "its legend has pod",
    );
    refused(
        &format!("{at}/instant"),
        json!(true),
        "for neither a moment nor a range",
    );
    let second = format!("{}/targets/1/refId", panel("Replicas and bounds"));
    refused(&second, json!("A"), "its letter is that of another one");
}

#[test]
fn what_an_expression_may_not_do() {
    let gauge = operator::LEADER.series();
    let counter = operator::RECONCILES.series();
    let buckets = format!("{}_bucket", operator::RECONCILE_DURATION.name);
    let quantiles = LAST_SECOND_LATENCY.series();
    let window = "$__rate_interval";
    let refused = [
        (format!("sum({gauge}"), "sum("),
        ("sum(up_to_date)".to_owned(), "nothing exports \"up_to_date\""),
        (format!("{gauge}{{shard=\"a\"}}"), "has no label shard"),
        (
            format!("{{__name__=~\"{gauge}|vas_pod_info\", shard=\"a\"}}"),
            "none of them has a label shard",
        ),
        (
            format!("{{__name__=~\"{gauge}|no_family\"}}"),
            "nothing exports \"no_family\"",
        ),
        (format!("sum(rate({gauge}[{window}]))"), "a rate of"),
        (format!("sum(increase({gauge}[{window}]))"), "a rate of"),
        (format!("sum({counter})"), "only grows"),
        (format!("sum({buckets})"), "only grows"),
        (
            format!("sum(rate({counter}[5m]))"),
            "[5m] is not $__rate_interval",
        ),
        (
            format!("sum by (shard) (rate({counter}[{window}]))"),
            "names the label shard",
        ),
        (format!("avg({quantiles})"), "avg of quantiles"),
        (
            format!("sum(histogram_quantile(0.5, sum by (le, job) (rate({buckets}[{window}]))))"),
            "sum of quantiles",
        ),
        (
            format!("histogram_quantile(0.5, sum(rate({buckets}[{window}])))"),
            "without the label le",
        ),
        (format!("sum by (job) ({gauge}) / sum({gauge})"), "never match"),
        (
            format!("sum by (job) ({gauge}) and on (pod) {gauge}"),
            "names the label pod",
        ),
    ];
    for (expr, words) in refused {
        let found = promql::judged(&expr).findings;
        assert!(
            found.iter().any(|finding| finding.contains(words)),
            "{expr}: {words}: {found:?}"
        );
    }
}

#[test]
fn labels_of_results_are_those_that_prometheus_leaves() {
    let gauge = scalings::WORKLOAD_REPLICAS_READY.series();
    let info = scalings::WORKLOAD_INFO.series();
    assert_eq!(scalings::WORKLOAD_RESCALES.kind, Kind::Counter);
    let cases = [
        (format!("sum by (workload) ({gauge})"), "workload"),
        (
            format!("sum without (instance, job) ({gauge})"),
            "namespace scaling workload",
        ),
        (format!("topk(1, sum by (workload) ({gauge}))"), "workload"),
        (
            format!("count_values(\"size\", sum by (workload) ({gauge}))"),
            "size",
        ),
        (format!("2 * sum by (workload) ({gauge})"), "workload"),
        (format!("time() - max({gauge})"), ""),
        (format!("sum by (workload) ({gauge}) or sum({gauge})"), ""),
        (
            format!(
                "sum by (workload) ({gauge}) * on (workload) group_left (hpa) max by (workload, hpa) ({info})"
            ),
            "hpa workload",
        ),
        (
            format!("sum by (workload) ({gauge}) unless on (workload) {gauge} == 1"),
            "workload",
        ),
        (
            format!("sum({gauge}) / on () group_right () sum by (workload) ({gauge})"),
            "workload",
        ),
    ];
    for (expr, wanted) in cases {
        let judged = promql::judged(&expr);
        assert_eq!(judged.findings, Vec::<String>::new(), "{expr}");
        let labels: Vec<String> = judged.labels.into_iter().collect();
        assert_eq!(labels.join(" "), wanted, "{expr}");
    }
}
