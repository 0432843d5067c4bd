use std::time::Duration;

use super::*;
use crate::model::{
    latencies::Quantiles,
    scaling::{Event, MetricSeen, Replicas},
};

/// From 2 to 4 and on to 6 replicas, desired at 20 s and 35 s, while the load jumps to 500/s at 10 s.
fn scaling() -> Scaling {
    let replicas = |at: f64, desired: u32, current: u32, ready: u32| Replicas {
        at,
        desired,
        current,
        ready,
    };
    let event = |at: f64, kind: EventKind, object: &str| Event {
        at,
        kind,
        object: object.to_owned(),
        words: String::new(),
    };
    let mut events = vec![event(3.0, EventKind::PodCreated, "replacement")];
    for (created, pod) in [(19.5, "c"), (20.2, "d"), (35.1, "e"), (35.2, "f")] {
        events.push(event(created, EventKind::PodCreated, pod));
        events.push(event(created + 1.0, EventKind::PodScheduled, pod));
        events.push(event(created + 2.0, EventKind::PodStarted, pod));
        events.push(event(created + 12.0, EventKind::PodReady, pod));
    }
    let metric = |at: f64, ratio: f64| MetricSeen {
        at,
        name: "rate".to_owned(),
        ratio: Some(ratio),
    };
    Scaling {
        replicas: vec![
            replicas(0.0, 2, 2, 2),
            replicas(20.0, 2, 4, 2),
            replicas(20.1, 4, 4, 2),
            replicas(32.2, 4, 4, 4),
            replicas(35.0, 6, 6, 4),
            replicas(47.2, 6, 6, 6),
        ],
        metrics: vec![
            metric(0.0, 0.5),
            metric(14.0, 1.0),
            metric(16.0, 2.5),
            metric(33.0, 1.25),
        ],
        events,
        ..Scaling::default()
    }
}

fn profile() -> Profile {
    let mut profile = Profile::constant(100.0, Duration::from_secs(10));
    profile.line(500.0, 500.0, Duration::from_secs(90));
    profile
}

fn found(scaling: &Scaling, seconds: &[Second], per_replica: Option<f64>) -> Vec<Chain> {
    let profile = profile();
    let load = Load {
        profile: &profile,
        per_replica,
        objective: Some(0.5),
    };
    chains(scaling, seconds, &load)
}

fn moments(chain: &Chain) -> Vec<Option<f64>> {
    chain
        .links
        .iter()
        .map(|link| link.at.map(|at| (at * 10.0).round() / 10.0))
        .collect()
}

fn seconds(bad: std::ops::Range<u32>) -> Vec<Second> {
    (0..100)
        .map(|at| Second {
            at,
            answered: 100,
            latency: Some(Quantiles {
                p95: Duration::from_millis(if bad.contains(&at) { 900 } else { 20 }),
                ..Quantiles::default()
            }),
            ..Second::default()
        })
        .collect()
}

#[test]
fn each_rise_has_its_own_pods_and_its_own_moments() {
    let chains = found(&scaling(), &seconds(12..40), Some(100.0));
    let sizes: Vec<(u32, u32)> = chains.iter().map(|chain| (chain.from, chain.to)).collect();
    assert_eq!(sizes, [(2, 4), (4, 6)]);
    let some = |moments: [f64; 7]| moments.map(Some).to_vec();
    let first = moments(&chains[0]);
    assert_eq!(first[..7], some([10.0, 16.0, 20.0, 20.0, 21.2, 22.2, 32.2]));
    assert_eq!(first[7], Some(40.0), "the users felt it until 40 s");
    let second = moments(&chains[1]);
    assert_eq!(second[..7], some([10.0, 16.0, 35.0, 35.1, 36.2, 37.2, 47.2]));
    assert_eq!(chains[0].slowest().map(|link| link.kind), Some(LinkKind::Ready));
    assert_eq!(chains[1].slowest().map(|link| link.kind), Some(LinkKind::Desired));
    assert!(
        chains[1]
            .hint
            .as_ref()
            .is_some_and(|hint| hint.contains("policies"))
    );
    assert_eq!(chains[0].time_to_scale().map(f64::round), Some(22.0));
}

#[test]
fn a_ramp_steps_when_it_passes_what_the_replicas_are_for() {
    let mut ramp = Profile::constant(0.0, Duration::from_secs(10));
    ramp.line(0.0, 1000.0, Duration::from_secs(100));
    let load = Load {
        profile: &ramp,
        per_replica: Some(100.0),
        objective: None,
    };
    let rise = |from| Rise {
        at: 90.0,
        from,
        to: from + 1,
    };
    assert!((load_step(&load, &rise(2)).unwrap() - 32.0).abs() < 0.1);
    assert!((load_step(&load, &rise(5)).unwrap() - 65.0).abs() < 0.1);
    assert_eq!(load_step(&load, &rise(9)), None, "800/s are no load for nine");
}

#[test]
fn without_a_known_load_of_a_replica_the_last_rise_of_the_load_counts() {
    let chains = found(&scaling(), &[], None);
    assert_eq!(chains[0].links[0].at, Some(10.0));
    assert_eq!(last_rise(&profile(), 9.0), None);
}

#[test]
fn what_was_not_seen_has_no_moment_and_the_next_link_counts_from_the_one_before() {
    let mut scaling = scaling();
    scaling.metrics.clear();
    scaling
        .events
        .retain(|event| event.kind != EventKind::PodStarted && event.object != "d");
    let chain = found(&scaling, &seconds(0..0), Some(100.0)).remove(0);
    let missing: Vec<LinkKind> = chain
        .links
        .iter()
        .filter(|link| link.at.is_none())
        .map(|link| link.kind)
        .collect();
    // One of the two new pods never came, so the last pod has no moments.
    assert_eq!(
        missing,
        [
            LinkKind::MetricVisible,
            LinkKind::Scheduled,
            LinkKind::Started,
            LinkKind::Ready,
            LinkKind::Recovered
        ]
    );
    assert_eq!(chain.links[2].seconds.map(f64::round), Some(10.0));
    assert_eq!(chain.time_to_scale(), None);
}

#[test]
fn users_who_never_felt_it_need_not_recover_and_those_who_still_do_have_not() {
    let recovered = |bad| found(&scaling(), &seconds(bad), Some(100.0))[0].links[7].at;
    assert_eq!(recovered(0..0), None);
    assert_eq!(recovered(12..100), None);
    let tenths = recovered(12..20).map(|at| (at * 10.0).round());
    assert_eq!(tenths, Some(322.0), "not before Ready");
}
