//! Options of k6 scripts.

use serde_json::{Value, json};

use super::{has, left_out, parsed};
use crate::{
    import::k6::import,
    scenario::model::{Load, Model},
};

/// Level of the load at moments in seconds, and its length.
fn course(options: &Value, moments: &[f64]) -> (bool, Vec<f64>, f64) {
    let imported = import(options).unwrap();
    let load = parsed(&imported).load;
    let profile = load.profile();
    let levels = moments
        .iter()
        .map(|moment| (profile.level(*moment) * 10.0).round() / 10.0)
        .collect();
    (matches!(load, Load::Open(_)), levels, profile.seconds().round())
}

#[test]
fn the_short_forms_are_users() {
    let constant = json!({"vus": 10, "duration": "30s"});
    assert_eq!(course(&constant, &[0.0, 29.0]), (false, vec![10.0, 10.0], 30.0));
    let milliseconds = json!({"vus": 2, "duration": 1500.0});
    assert_eq!(course(&milliseconds, &[1.0]), (false, vec![2.0], 2.0));
    let stages = json!({"stages": [
        {"duration": "10s", "target": 20}, {"duration": "1m0s", "target": 20}, {"duration": "10s", "target": 0},
    ]});
    assert_eq!(
        course(&stages, &[5.0, 30.0, 75.0]),
        (false, vec![10.0, 20.0, 10.0], 80.0)
    );
    let iterations = import(&json!({"vus": 3, "iterations": 100})).unwrap();
    assert_eq!(parsed(&iterations).iterations, Some(100));
    assert_eq!(
        parsed(&import(&json!({"vus": 3})).unwrap()).iterations,
        Some(3),
        "one each"
    );
}

#[test]
fn executors_are_loads() {
    let scenario = |executor: Value| json!({"scenarios": {"a": executor}});
    let arrivals = scenario(
        json!({"executor": "constant-arrival-rate", "rate": 120, "timeUnit": "1m", "duration": "10s", "preAllocatedVUs": 5}),
    );
    assert_eq!(course(&arrivals, &[5.0]), (true, vec![2.0], 10.0));
    let ramping = scenario(
        json!({"executor": "ramping-arrival-rate", "startRate": 10, "timeUnit": "1s", "stages": [
            {"duration": "10s", "target": 30}, {"duration": "0s", "target": 100}, {"duration": "10s", "target": 100},
            {"duration": "0s", "target": 50}, {"duration": "10s", "target": 0},
        ]}),
    );
    let (open, levels, seconds) = course(&ramping, &[5.0, 15.0, 25.0]);
    assert_eq!((open, levels[1], seconds), (true, 100.0, 30.0));
    assert!(
        (levels[0] - 20.0).abs() < 0.2 && (levels[2] - 25.0).abs() < 0.2,
        "{levels:?}"
    );
    let each =
        scenario(json!({"executor": "per-vu-iterations", "vus": 4, "iterations": 5, "maxDuration": "1m"}));
    assert_eq!(parsed(&import(&each).unwrap()).iterations, Some(20));
    assert_eq!(course(&each, &[5.0]), (false, vec![4.0], 60.0));
}

#[test]
fn several_scenarios_are_loads_side_by_side_and_unknown_executors_are_listed() {
    let imported = import(&json!({"scenarios": {
        "a": {"executor": "externally-controlled", "vus": 5, "duration": "1m"},
        "b": {"executor": "constant-vus", "vus": 5, "duration": "1m", "startTime": "30s", "exec": "buy"},
        "c": {"executor": "constant-arrival-rate", "rate": 7, "duration": "1m"},
        "d": {"executor": "shared-iterations", "vus": 2, "iterations": 9, "exec": "buy"},
    }}))
    .unwrap();
    let left = left_out(&imported);
    assert!(has(&left, &["scenarios.a", "externally-controlled"]), "{left:?}");
    assert_eq!(left.len(), 1, "{left:?}");
    let scenario = parsed(&imported);
    let names: Vec<&str> = scenario
        .journeys
        .iter()
        .map(|journey| journey.name.as_str())
        .collect();
    assert_eq!(names, ["buy", "default"]);
    let lanes: Vec<_> = scenario
        .lanes()
        .into_iter()
        .map(|lane| {
            let at = |second: f64| lane.profile.level(second);
            (
                lane.name,
                lane.model,
                [at(29.0), at(31.0)],
                lane.iterations,
                lane.journeys,
            )
        })
        .collect();
    assert_eq!(
        lanes,
        [
            ("b".to_owned(), Model::Closed, [0.0, 5.0], None, vec![0]),
            ("c".to_owned(), Model::Open, [7.0, 7.0], None, vec![1]),
            ("d".to_owned(), Model::Closed, [2.0, 2.0], Some(9), vec![0]),
        ]
    );
    let later = json!({"scenarios": {
        "only": {"executor": "constant-vus", "vus": 5, "duration": "1m", "startTime": "30s"},
    }});
    let length = parsed(&import(&later).unwrap()).load.profile().duration();
    assert_eq!(length.as_secs(), 90);
}

#[test]
fn thresholds_are_said_in_the_words_of_a_scenario() {
    let imported = import(&json!({"vus": 1, "duration": "1s", "thresholds": {
        "http_req_duration": ["p(95)<500", "p(99.9) < 2000", "med<100", "max<=5000", "avg<200"],
        "http_req_failed": [{"threshold": "rate<0.015", "abortOnFail": true}],
        "checks": ["rate>0.95"],
        "http_reqs": ["rate>100", "count>5", "count<9"],
        "http_req_duration{name:login}": ["p(95)<100"],
        "iteration_duration": "avg<5",
    }}))
    .unwrap();
    assert_eq!(
        imported.scenario.thresholds,
        [
            "errors < 5%",
            "latency p95 < 500ms",
            "latency p99.9 < 2000ms",
            "latency p50 < 100ms",
            "latency max <= 5000ms",
            "latency mean < 200ms",
            "errors < 1.5%",
            "rate > 100/s",
            "requests > 5",
        ]
    );
    assert_eq!(parsed(&imported).thresholds.len(), 9);
    let left = left_out(&imported);
    assert!(has(&left, &["abortOnFail", "abort"]), "{left:?}");
    assert!(has(&left, &["http_reqs", "count<9"]), "{left:?}");
    assert!(has(&left, &["name:login", "step NAME"]), "{left:?}");
    assert!(has(&left, &["iteration_duration"]), "{left:?}");
    assert_eq!(left.len(), 4);
}

#[test]
fn what_k6_inspect_prints_for_options_that_are_not_set_says_nothing() {
    let imported = import(&json!({
        "vus": 5, "duration": "10s", "stages": [], "scenarios": null, "thresholds": null, "rps": null, "batch": 0,
        "dns": {"ttl": null, "select": null, "policy": null}, "tlsAuth": null, "hosts": {}, "userAgent": "",
    }))
    .unwrap();
    assert_eq!(left_out(&imported), [""; 0]);
    let ramp = json!({"stages": [{"duration": "10s", "target": 20}, {"duration": "10s", "target": null}]});
    assert_eq!(course(&ramp, &[15.0]), (false, vec![20.0], 20.0));
    let days = json!({"vus": 1, "duration": "1d12h"});
    assert_eq!(course(&days, &[1.0]), (false, vec![1.0], 129_600.0));
}

#[test]
fn what_a_run_would_refuse_is_not_written() {
    for options in [
        json!({"vus": 0, "duration": "30s"}),
        json!({"vus": 5, "duration": "0s"}),
        json!({"vus": 5, "iterations": 0}),
        json!({"vus": 5, "iterations": 1e30}),
        json!({"vus": 1e12, "duration": "30s"}),
        json!({"vus": 1, "duration": "9d9d"}),
    ] {
        let error = import(&options).unwrap_err().to_string();
        assert!(error.contains("the load: "), "{options}: {error}");
    }
    let imported = import(&json!({"vus": 1, "duration": "1s", "thresholds": {
        "ws_connecting": ["p(95)<100"],
        "http_req_duration": ["p(95)<0", "p(95)<500", "p(95.0)<500", "max<1e300"],
        "http_req_failed": ["rate<1.5", "rate<1e-12"],
        "checks": ["rate>0.999999999999"],
    }}))
    .unwrap();
    assert_eq!(
        imported.scenario.thresholds,
        ["errors <= 0%", "latency p95 < 500ms"]
    );
    assert_eq!(parsed(&imported).thresholds.len(), 2);
    let left = left_out(&imported);
    assert!(has(&left, &["ws_connect p95 < 100ms", "websocket"]), "{left:?}");
    assert_eq!(left.len(), 4, "{left:?}");
}
