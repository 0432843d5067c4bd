//! A load through several policies, and all outputs of it.

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use vas_core::{
    hpa::Controller,
    replay::{Assumptions, Builder, Load, Policy, TimeToReady, Value},
};

use super::*;
use crate::simulate::{
    cost::Price,
    subject::{self, Hints},
};

/// Two hours at 100/s with ten minutes of 500/s in the middle.
fn load() -> Load {
    let mut builder = Builder::default();
    for minute in 0..120_i64 {
        let at = Timestamp::from_second(1_772_359_200 + 60 * minute).unwrap();
        let rate = Some(if (60..70).contains(&minute) { 500.0 } else { 100.0 });
        builder.add(Value { at, rate }).unwrap();
    }
    builder.finish().unwrap()
}

fn settings() -> Settings {
    let object: HorizontalPodAutoscaler = serde_saphyr::from_str(
        "spec: {minReplicas: 2, maxReplicas: 20, scaleTargetRef: {kind: Deployment, name: web}, metrics: [
            {type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: '70'}}},
            {type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 80}}}]}",
    )
    .unwrap();
    let subject = subject::of_hpa(&object, &Hints::default()).unwrap();
    let contender = |name: &str, policy| Contender {
        name: name.to_owned(),
        policy,
    };
    Settings {
        load: load(),
        assumptions: Assumptions {
            capacity: 100.0,
            time_to_ready: TimeToReady::constant(30.0),
            objective: 0.5,
            patience: 10.0,
            scrape: 15_000,
            poll: 5_000,
            sync: 15_001,
            warm_up: 30 * 60_000,
            controller: Controller::default(),
        },
        capacity: Capacity::OfTarget,
        contenders: vec![
            contender("resource", Policy::Hpa(Box::new(subject.model))),
            contender("static=5", Policy::Static(5)),
            contender("optimum", Policy::Optimum),
        ],
        price: Price::of(0.1),
        assumed: subject.assumed,
        left_out: subject.left_out,
    }
}

#[test]
fn every_policy_meets_the_same_load_and_no_policy_without_shortage_is_cheaper_than_the_optimum() {
    let settings = settings();
    let comparison = compare(&settings);
    let [resource, constant, optimum] = comparison.rows.as_slice() else {
        panic!("three policies")
    };
    for row in &comparison.rows {
        assert!((row.outcome.seconds - 5400.0).abs() < 1e-9, "{row:?}");
        assert!((row.outcome.offered - optimum.outcome.offered).abs() < 1e-6);
    }
    assert!((constant.outcome.replica_hours() - 7.5).abs() < 1e-9);
    // A month of five replicas at 0.1.
    assert!((constant.cost.unwrap() - 365.0).abs() < 1e-6);
    assert_eq!((constant.short_minutes(), optimum.short_minutes()), (0.0, 0.0));
    assert!(optimum.outcome.replica_hours() < constant.outcome.replica_hours());
    assert!(
        resource.short_minutes() > 0.5 && resource.short_minutes() < 10.0,
        "{resource:?}"
    );
    assert!(resource.outcome.violations > 0.0);
    let under = |row: &Row| row.elasticity.unwrap().under_timeshare;
    assert!(under(resource) > 0.0);
    assert_eq!((under(constant), under(optimum)), (0.0, 0.0));
}

#[test]
fn the_table_has_a_row_for_each_policy_and_every_assumption_under_it() {
    let settings = settings();
    let text = text::render(&settings, &compare(&settings));
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("POLICY") && lines[0].ends_with("COST/MONTH"),
        "{text}"
    );
    assert!(
        lines[1].starts_with("resource ") && lines[3].starts_with("optimum "),
        "{text}"
    );
    assert!(
        lines[2].contains("0.0 min (0 %)") && lines[2].ends_with("365.00"),
        "{text}"
    );
    for words in [
        "Judged: 1.5 h of 2.0 h",
        "serves 100 requests/s (the target / 0.7",
        "Ready after 30 s",
        "longer than 0.5 s is a violation, longer than 10 s is refused",
        "20 s old",
        "every 15.001 s",
        "Nodes are not modelled",
        "The metric rps is requests per second",
        "Left out: memory: memory does not follow",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn json_obeys_its_schema_and_csv_has_each_change() {
    let settings = settings();
    let comparison = compare(&settings);
    let json: serde_json::Value =
        serde_json::from_str(&json::render(&settings, &comparison).unwrap()).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["policies"][1]["name"], "static=5");
    assert!((json["policies"][1]["cost"].as_f64().unwrap() - 365.0).abs() < 1e-6);
    assert_eq!(json["assumptions"]["capacity_of_target"], true);
    let required = json::schema()["$defs"]["PolicyPart"]["required"].clone();
    for field in required.as_array().unwrap() {
        assert!(
            json["policies"][0].get(field.as_str().unwrap()).is_some(),
            "{field}"
        );
    }
    let mut csv = Vec::new();
    csv::write(&settings, &mut csv).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "time,policy,load,desired,ready");
    let constant: Vec<&&str> = lines.iter().filter(|line| line.contains(",static=5,")).collect();
    assert_eq!(constant.len(), 3, "the load changes twice: {constant:?}");
    assert_eq!(*constant[0], "2026-03-01T10:00:00Z,static=5,100,5,5");
}
