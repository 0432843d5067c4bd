//! Small stories, and the same stories with wrong counts, which the oracle must reject.

use std::collections::BTreeMap;

use super::*;
use crate::oracle::{
    Direction, Feed, Metric, Phase, Pod, Pods, Policy, PolicyUnit, Readiness, Resource, Select, Target, Track,
};

fn policy(unit: PolicyUnit, value: i32, period: Moment) -> Policy {
    Policy { unit, value, period }
}

/// A worker's HPA: queue depth 50 per pod, up 50 % a minute, down one pod at a time.
fn hpa() -> Hpa {
    Hpa {
        min: 1,
        max: 8,
        metrics: vec![Metric {
            name: "queue-depth".to_owned(),
            target: Target::ObjectAverage(50_000),
        }],
        up: Direction {
            window: 0.0,
            select: Select::Max,
            policies: vec![policy(PolicyUnit::Percent, 50, 8.0)],
            tolerance: None,
        },
        down: Direction {
            window: 12.0,
            select: Select::Max,
            policies: vec![policy(PolicyUnit::Pods, 1, 4.0)],
            tolerance: None,
        },
    }
}

fn pods(count: i32) -> Pods {
    let pod = Pod {
        phase: Phase::Running,
        deleting: false,
        started: Some(0.0),
        ready: Some(Readiness {
            is_ready: true,
            since: 0.0,
        }),
        requests: BTreeMap::from([(Resource::Cpu, 500)]),
    };
    (0..count)
        .map(|index| (format!("p{index}"), pod.clone()))
        .collect()
}

/// Evidence of a queue depth over time and of what was written at syncs five seconds apart.
fn story(initial: i32, depths: &[(Moment, Option<i64>)], writes: &[Option<i32>]) -> Evidence {
    let mut evidence = Evidence {
        initial,
        ..Evidence::default()
    };
    evidence.pods.push(-10.0, pods(initial));
    evidence.status_replicas.push(-10.0, initial);
    for (index, wrote) in writes.iter().enumerate() {
        let at = 5.0 * f64::from(u32::try_from(index).unwrap());
        evidence.syncs.push(Sync {
            at,
            wrote: *wrote,
            judged: true,
        });
        if let Some(count) = wrote {
            evidence.pods.push(at + 1.0, pods(*count));
            evidence.status_replicas.push(at + 1.0, *count);
        }
    }
    let reading = |depth: &Option<i64>| depth.map_or(Reading::Missing, |depth| Reading::Object(depth * 1000));
    let readings: Track<Reading> = depths.iter().map(|(at, depth)| (*at, reading(depth))).collect();
    evidence
        .feeds
        .insert("queue-depth".to_owned(), Feed { readings, lag: 1.0 });
    evidence
}

fn wrong(evidence: &Evidence) -> Vec<Moment> {
    judge(&hpa(), evidence)
        .iter()
        .filter(|verdict| !verdict.is_right())
        .map(|verdict| verdict.at)
        .collect()
}

const RISE: [(Moment, Option<i64>); 2] = [(-10.0, Some(10)), (3.5, Some(400))];

#[test]
fn replicas_that_follow_the_algorithm_are_right() {
    // 50 % per 8 s: 1, 2, (limited), 3, (limited), 5, (limited), 8.
    let right = [None, Some(2), None, Some(3), None, Some(5), None, Some(8), None];
    assert_eq!(wrong(&story(1, &RISE, &right)), [] as [Moment; 0]);
}

#[test]
fn a_step_that_is_too_large_is_wrong() {
    assert_eq!(wrong(&story(1, &RISE, &[None, Some(4)])), [5.0]);
}

#[test]
fn a_step_that_comes_too_early_is_wrong() {
    assert_eq!(wrong(&story(1, &RISE, &[Some(2)])), [0.0]);
    assert_eq!(wrong(&story(1, &RISE, &[None, Some(2), Some(3)])), [10.0]);
}

#[test]
fn a_step_that_does_not_come_is_wrong() {
    assert_eq!(wrong(&story(1, &RISE, &[None, None, Some(2)])), [5.0]);
}

#[test]
fn a_change_without_a_cause_is_wrong() {
    assert_eq!(wrong(&story(3, &[(-10.0, Some(150))], &[None, Some(4)])), [5.0]);
}

#[test]
fn scale_down_waits_for_the_window_and_then_goes_one_by_one() {
    let fall = [(-10.0, Some(150)), (3.5, Some(0))];
    let right = [None, None, None, Some(2), Some(1), None];
    assert_eq!(wrong(&story(3, &fall, &right)), [] as [Moment; 0]);
    let early = [None, None, Some(2)];
    assert_eq!(wrong(&story(3, &fall, &early)), [10.0]);
    let two_at_once = [None, None, None, Some(1)];
    assert_eq!(wrong(&story(3, &fall, &two_at_once)), [15.0]);
}

#[test]
fn without_data_the_count_holds_and_the_window_goes_on_ageing() {
    let lost = [(-10.0, Some(150)), (3.5, None), (29.5, Some(0))];
    let holds = [None, None, None, None, None, None, Some(2)];
    assert_eq!(wrong(&story(3, &lost, &holds)), [] as [Moment; 0]);
    let falls = [None, None, None, Some(2)];
    assert_eq!(wrong(&story(3, &lost, &falls)), [15.0]);
}

#[test]
fn a_sample_that_may_or_may_not_have_been_seen_allows_both() {
    let just_now = [(-10.0, Some(10)), (4.8, Some(400))];
    assert_eq!(wrong(&story(1, &just_now, &[None, Some(2)])), [] as [Moment; 0]);
    assert_eq!(
        wrong(&story(1, &just_now, &[None, None, Some(2)])),
        [] as [Moment; 0]
    );
}

#[test]
fn syncs_before_the_evidence_is_complete_only_make_history() {
    let mut evidence = story(1, &RISE, &[Some(7), None]);
    evidence.syncs[0].judged = false;
    let verdicts = judge(&hpa(), &evidence);
    assert!(verdicts[0].is_right());
    assert_eq!(verdicts[1].current, 7);
}

#[test]
fn the_deciding_metric_is_named() {
    let verdicts = judge(&hpa(), &story(1, &RISE, &[None, Some(2)]));
    assert_eq!(verdicts[1].deciding, ["queue-depth"]);
    assert_eq!(verdicts[1].proposed, Some(Between::exactly(8)));
    assert_eq!(verdicts[1].allowed, Between::exactly(2));
}
