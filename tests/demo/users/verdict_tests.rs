//! The checks must fail when users were harmed without need.

use serde_json::{Value, json};

use super::*;

fn seen(part: Part, errors: u64, passed: bool, doubts: &[&str], seconds: &Value) -> Seen {
    let report = json!({
        "summary": {"requests": 1000, "errors": errors, "latency": {"p50": 0.02, "p95": 0.021, "max": 1.25}},
        "run": {"began": "2030-01-01T00:00:00Z"},
        "checks": [{"name": "latency p95 < 500ms", "passed": passed, "measured": "587ms"}],
        "doubts": doubts,
        "seconds": seconds,
    });
    Seen {
        part,
        report: serde_json::from_value(report).unwrap(),
    }
}

const STOOD: &str = "the load generator stood still for 0.30 s: it was stopped, or starved; run it alone";

fn calm(errors: u64, passed: bool, doubts: &[&str]) -> Vec<Seen> {
    let quiet = |part| seen(part, 0, true, &[], &json!([]));
    let peak = seen(Part::Peak, errors, passed, doubts, &json!([]));
    vec![quiet(Part::Quiet), peak, quiet(Part::QuietAgain)]
}

#[test]
fn a_missed_check_away_from_the_ramp_is_a_finding() {
    assert!(unharmed(&calm(0, true, &[])).passed);
    let finding = unharmed(&calm(0, false, &[]));
    assert_eq!(
        finding.details,
        ["peak, Prometheus away and back: latency p95 < 500ms was 587ms"]
    );
    assert!(!unharmed(&calm(0, true, &[])[..2]).passed, "a part is missing");
}

#[test]
fn what_a_starved_generator_missed_proves_nothing_and_is_told() {
    let starved = unharmed(&calm(0, false, &[STOOD]));
    assert!(starved.passed && starved.text.contains("too busy"), "{starved:?}");
    assert_eq!(
        unharmed(&calm(2, true, &[])).details,
        ["peak, Prometheus away and back: 2 requests failed"]
    );
}

fn ramp(failing_until: u32) -> (Clock, Vec<Seen>, Track<Scale>) {
    let clock = Clock::start();
    let began = clock.of("2030-01-01T00:00:00Z".parse().unwrap());
    let second = |at: u32| json!({"at": at, "errors": u32::from(at < failing_until), "latency": null});
    let seconds: Vec<Value> = (0..60).map(second).collect();
    let mut scale = Track::default();
    for (after, ready) in [(-5.0, 3), (20.0, 4), (30.0, 5)] {
        let now = Scale {
            spec: ready,
            status: ready,
            ready,
        };
        scale.push(began + after, now);
    }
    (
        clock,
        vec![seen(Part::Ramp, 9, true, &[], &json!(seconds))],
        scale,
    )
}

#[test]
fn requests_may_fail_until_enough_pods_are_ready_and_no_longer() {
    let (clock, users, scale) = ramp(32);
    let finding = while_scaling(clock, &users, &scale, 5);
    assert!(finding.passed, "{finding:?}");
    assert!(finding.text.contains("Ready after 30 s"), "{}", finding.text);
    let (clock, users, scale) = ramp(40);
    assert_eq!(while_scaling(clock, &users, &scale, 5).details.len(), 1);
}

#[test]
fn a_ramp_that_overloads_nobody_or_is_never_cured_shows_nothing() {
    let (clock, users, scale) = ramp(0);
    assert!(!while_scaling(clock, &users, &scale, 5).passed);
    let (clock, users, scale) = ramp(32);
    assert!(!while_scaling(clock, &users, &scale, 6).passed);
}

#[test]
fn the_table_lines_up() {
    let lines = table(&calm(0, true, &[STOOD]));
    let width = |line: &String| line.chars().count();
    assert!(
        lines[..4].iter().all(|line| width(line) == width(&lines[0])),
        "{lines:#?}"
    );
    assert!(
        lines[4].ends_with("vas test doubts it: the load generator stood still for 0.30 s"),
        "{}",
        lines[4]
    );
    assert!(lines[1].contains("20.0 ms   21.0 ms   1250 ms"), "{}", lines[1]);
}
