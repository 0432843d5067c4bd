//! Each rule about what a panel would hide finds it.

use serde_json::{Value, json};

use super::super::meaning::findings;
use crate::monitoring::families::{load_test, metrics_server, operator, scalings};

/// A panel over time with one query.
fn panel(expr: &str, legend: &str) -> Value {
    json!({
        "type": "timeseries",
        "fieldConfig": {"defaults": {"thresholds": {"steps": [{"value": null, "color": "green"}]}}},
        "targets": [{"refId": "A", "expr": expr, "legendFormat": legend}],
    })
}

fn found(panel: &Value, words: &str) {
    let found = findings(panel);
    assert!(
        found.iter().any(|finding| finding.contains(words)),
        "{words}: {found:?}"
    );
}

#[test]
fn an_axis_from_zero_under_a_difference() {
    let expiry = metrics_server::CERTIFICATE_EXPIRY.series();
    let mut shown = panel(&format!("min({expiry}) - time()"), "valid for");
    assert_eq!(findings(&shown), Vec::<String>::new());
    shown["fieldConfig"]["defaults"]["min"] = json!(0);
    found(&shown, "a difference may be below");
    shown["targets"][0]["expr"] = json!(format!("clamp_min(min({expiry}) - time(), 0)"));
    assert_eq!(findings(&shown), Vec::<String>::new());
}

#[test]
fn a_number_that_is_bad_at_zero_and_silent_without_a_value() {
    let mut shown = panel(&format!("sum({})", operator::LEADER.series()), "leaders");
    shown["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = json!("red");
    found(&shown, "no word for what is not there at all");
    shown["fieldConfig"]["defaults"]["noValue"] = json!("none");
    assert_eq!(findings(&shown), Vec::<String>::new());
}

#[test]
fn a_sum_of_series_that_begin_with_their_first_event() {
    let requests = load_test::REQUESTS.series();
    let failed = |by: &str| {
        panel(
            &format!("sum by ({by}) (rate({requests}[$__rate_interval]))"),
            "failed",
        )
    };
    found(&failed("scenario"), "only those of vas_test_latency_seconds");
    assert_eq!(findings(&failed("scenario, cause")), Vec::<String>::new());
}

#[test]
fn a_line_of_several_namespaces() {
    let rescales = scalings::WORKLOAD_RESCALES.series();
    let rate = format!("rate({rescales}[$__rate_interval])");
    let mixed = panel(&format!("sum by (direction) ({rate})"), "{{direction}}");
    found(&mixed, "mixes namespaces");
    let apart = panel(
        &format!("sum by (namespace, direction) ({rate})"),
        "{{namespace}} {{direction}}",
    );
    assert_eq!(findings(&apart), Vec::<String>::new());
    let mut number = mixed;
    number["type"] = json!("stat");
    assert_eq!(findings(&number), Vec::<String>::new());
}

#[test]
fn a_join_that_two_series_break() {
    let desired = scalings::WORKLOAD_REPLICAS_DESIRED.series();
    let info = scalings::WORKLOAD_INFO.series();
    let joined = |one: &str| {
        let expr = format!(
            "max by (namespace, workload) ({desired}) * on (namespace, workload) group_left (hpa) {one}"
        );
        panel(&expr, "{{namespace}} {{hpa}}")
    };
    let words = "two series of the right side break it";
    found(&joined(&info), words);
    found(
        &joined(&format!("max by (namespace, workload, hpa) ({info})")),
        words,
    );
    found(&joined(&format!("topk by (namespace) (1, {info})")), words);
    found(
        &joined(&format!("topk by (namespace, workload) (2, {info})")),
        words,
    );
    let one = joined(&format!("topk by (namespace, workload) (1, {info})"));
    assert_eq!(findings(&one), Vec::<String>::new());
}

#[test]
fn an_axis_that_presses_its_colours_to_the_ground() {
    let mut shown = panel(&format!("sum({})", operator::LEADER.series()), "failed");
    let defaults = &mut shown["fieldConfig"]["defaults"];
    defaults["max"] = json!(1);
    defaults["thresholds"]["steps"] =
        json!([{"value": null, "color": "green"}, {"value": 0.01, "color": "orange"}]);
    found(&shown, "its first colour begins at the bottom of its axis");
    shown["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] = json!(0.7);
    assert_eq!(findings(&shown), Vec::<String>::new());
}

#[test]
fn a_workload_that_is_named_without_its_resource() {
    let desired = scalings::WORKLOAD_REPLICAS_DESIRED.series();
    found(
        &panel(&desired, "{{namespace}}/{{workload}}"),
        "without its resource",
    );
    assert_eq!(
        findings(&panel(&desired, "{{namespace}}/{{scaling}}/{{workload}}")),
        Vec::<String>::new()
    );
}

#[test]
fn a_window_that_is_as_short_as_a_scrape() {
    let overwrites = operator::OVERWRITES.series();
    let mut shown = panel(&format!("sum(increase({overwrites}[$__interval]))"), "fields");
    found(&shown, "[$__interval] may be as short as a scrape");
    shown["targets"][0]["interval"] = json!("1m");
    assert_eq!(findings(&shown), Vec::<String>::new());
}
