//! Each check must fail when what it is about goes wrong.

use super::*;
use crate::{
    gather::Outage,
    oracle::Between,
    record::{Condition, HpaStatus, Scale},
};

fn verdict(at: Moment, current: i32, chosen: i32, allowed: i32, deciding: &[&str]) -> Verdict {
    Verdict {
        at,
        current,
        chosen,
        proposed: Some(Between::exactly(allowed)),
        allowed: Between::exactly(allowed),
        deciding: deciding.iter().map(ToString::to_string).collect(),
        judged: true,
    }
}

fn judgement(verdicts: Vec<Verdict>) -> Judgement {
    Judgement {
        workload: Workload::Worker,
        syncs: Vec::new(),
        verdicts,
        without_prometheus: None,
    }
}

#[test]
fn one_wrong_sync_is_a_finding_that_says_when_and_what() {
    let right = verdict(5.0, 1, 2, 2, &["queue-depth"]);
    assert!(replicas(&judgement(vec![right.clone()]), 0.0).passed);
    let wrong = verdict(65.0, 2, 5, 3, &["queue-depth"]);
    let finding = replicas(&judgement(vec![right, wrong]), 0.0);
    assert!(!finding.passed);
    assert_eq!(
        finding.details,
        ["1:05 2 -> 5, but the algorithm gives 3 (proposed 3, by queue-depth)"]
    );
}

#[test]
fn a_workload_that_never_rescaled_shows_nothing() {
    assert!(!replicas(&judgement(vec![verdict(5.0, 1, 1, 1, &[])]), 0.0).passed);
}

#[test]
fn a_metric_must_decide_alone_and_upward() {
    let both = verdict(5.0, 1, 2, 2, &["queue-depth", "queue-age"]);
    let down = verdict(10.0, 2, 1, 1, &["queue-depth"]);
    assert!(!decided(&judgement(vec![both, down]), "queue-depth").passed);
    let alone = verdict(5.0, 1, 2, 2, &["queue-depth"]);
    assert!(decided(&judgement(vec![alone]), "queue-depth").passed);
}

fn outage(replicas_after: i32, explained: bool) -> (Record, Story) {
    changed([(0.0, 9), (45.0, replicas_after)], explained)
}

/// A record in which the gateway has these replicas from these moments on, and Prometheus is down from 10 s to 40 s.
fn changed(replicas: [(Moment, i32); 2], explained: bool) -> (Record, Story) {
    let mut record = Record::default();
    let condition = Condition {
        status: "False".to_owned(),
        reason: "PrometheusUnavailable".to_owned(),
        message: "connection refused".to_owned(),
    };
    let scale = |spec| Scale {
        spec,
        status: spec,
        ready: spec,
    };
    let seen = record.of(Workload::Gateway);
    for (at, count) in replicas {
        seen.scale.push(at, scale(count));
    }
    if explained {
        let hpa = HpaStatus {
            active: Some(condition.clone()),
            ..HpaStatus::default()
        };
        seen.hpa.push(20.0, hpa);
        record.metrics_available.push(20.0, condition);
    }
    let story = Story {
        outage: Some(Outage { from: 10.0, to: 40.0 }),
        burst: 60.0,
        ..Story::default()
    };
    (record, story)
}

#[test]
fn replicas_that_fall_before_the_load_does_are_a_finding() {
    let (record, story) = outage(9, true);
    assert!(held(&record, &story, Some(5)).passed);
    let (record, story) = outage(8, true);
    assert_eq!(
        held(&record, &story, None).details,
        ["api-gateway fell from 9 to 8 below what the load needs"]
    );
}

#[test]
fn replicas_beyond_what_the_load_needs_may_fall_once_prometheus_is_back_and_not_before() {
    let (record, story) = changed([(0.0, 11), (45.0, 10)], true);
    assert!(held(&record, &story, None).passed);
    let (record, story) = changed([(0.0, 11), (30.0, 10)], true);
    assert_eq!(
        held(&record, &story, None).details,
        ["api-gateway fell from 11 to 10 while Prometheus was down"]
    );
}

#[test]
fn an_outage_that_nobody_explains_is_a_finding() {
    let (record, story) = outage(9, false);
    assert_eq!(held(&record, &story, None).details.len(), 2);
}

#[test]
fn an_end_above_the_minimum_is_a_finding() {
    let (mut record, story) = outage(3, true);
    assert!(!ended(&record, &story).passed, "the worker was never seen");
    record.of(Workload::Worker).scale.push(
        0.0,
        Scale {
            spec: 1,
            status: 1,
            ready: 1,
        },
    );
    assert!(ended(&record, &story).passed);
    let late = Story {
        missed: vec!["not within 75 s: something".to_owned()],
        ..story
    };
    assert!(!ended(&record, &late).passed);
}
