//! Each rule about what a panel would hide finds it.

use serde_json::{Value, json};

use super::super::meaning::findings;
use crate::monitoring::families::{load_test, metrics_server, operator};

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
