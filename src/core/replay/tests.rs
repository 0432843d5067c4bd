//! Whole replays, whose figures are worked out by hand or follow from the algorithm.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::{
    hpa::{Controller, Hpa, Requests},
    schedule::{Bounds, Entry, Schedules, Starts, Zone, entry::Calendar},
};

const MINUTE: Millis = 60_000;

fn assumptions() -> Assumptions {
    Assumptions {
        capacity: 100.0,
        time_to_ready: TimeToReady::constant(30.0),
        objective: 0.5,
        patience: 10.0,
        scrape: 15_000,
        poll: 5_000,
        sync: 15_001,
        warm_up: 0,
        controller: Controller::default(),
    }
}

/// A load whose value in each minute is given.
fn load(minutes: u32, rate: impl Fn(u32) -> Option<f64>) -> Load {
    let mut builder = Builder::default();
    for minute in 0..minutes {
        let second = 1_700_000_000 + 60 * i64::from(minute);
        let at = Timestamp::from_second(second).unwrap();
        builder
            .add(Value {
                at,
                rate: rate(minute),
            })
            .unwrap();
    }
    builder.finish().unwrap()
}

/// An HPA of 2 to 20 replicas on 70 requests per second of each pod, with the behaviour of the defaults.
fn rate_of_70() -> Policy {
    hpa(
        "{type: Pods, pods: {metric: {name: rate}, target: {type: AverageValue, averageValue: '70'}}}",
        Kind::Rate { window: MINUTE },
    )
}

fn hpa(metric: &str, kind: Kind) -> Policy {
    let text = format!(
        "{{spec: {{minReplicas: 2, maxReplicas: 20, scaleTargetRef: {{kind: Deployment, name: d}}, metrics: [{metric}], \
         behavior: {{scaleDown: {{stabilizationWindowSeconds: 300}}}}}}}}"
    );
    let object = serde_saphyr::from_str(&text).unwrap();
    let hpa = Hpa::read(&object, &Controller::default());
    let requests = Requests::container("c", &[("cpu", 500)]);
    Policy::Hpa(Box::new(Model::new(hpa, vec![Some(kind)], requests).unwrap()))
}

fn run(load: &Load, policy: &Policy) -> (Outcome, Vec<Moment>) {
    let mut moments = Vec::new();
    let outcome = replay(load, &assumptions(), policy, |moment| moments.push(*moment));
    (outcome, moments)
}

/// The replicas at the last sync before the end of each minute.
fn by_minute(moments: &[Moment]) -> Vec<u32> {
    let minutes = moments.last().map_or(0, |last| last.at / MINUTE);
    let at = |minute: Millis| {
        moments
            .iter()
            .rfind(|moment| moment.at < (minute + 1) * MINUTE)
            .unwrap()
            .desired
    };
    (0..=minutes).map(at).collect()
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-6 * (1.0 + expected.abs()),
        "{found} is not {expected}"
    );
}

#[test]
fn a_constant_number_of_replicas_is_short_while_the_load_is_above_them() {
    let load = load(10, |minute| Some(if minute == 4 { 260.0 } else { 100.0 }));
    let (outcome, _) = run(&load, &Policy::Static(2));
    near(outcome.seconds, 600.0);
    near(outcome.short_seconds, 60.0);
    near(outcome.offered, 9.0 * 60.0 * 100.0 + 60.0 * 260.0);
    near(outcome.replica_hours(), 2.0 / 6.0);
    // 60/s are too many, so the backlog reaches 100 (0.5 s) after 1.67 s and 2,000 (10 s) after 33.3 s.
    near(outcome.refused, 60.0 * (60.0 - 2000.0 / 60.0));
    // Who comes in the minute after waits too, until the backlog of 2,000 is down to 100 at 100 a second less.
    near(outcome.violations, 260.0 * (60.0 - 100.0 / 60.0) + 100.0 * 19.0);
    assert_eq!((outcome.rescales, outcome.peak), (0, 2));
}

#[test]
fn the_optimum_is_never_short_and_creates_each_pod_just_in_time() {
    let load = load(10, |minute| Some(if minute == 4 { 260.0 } else { 100.0 }));
    let (outcome, moments) = run(&load, &Policy::Optimum);
    near(outcome.short_seconds, 0.0);
    near(outcome.violations, 0.0);
    assert_eq!((outcome.rescales, outcome.peak), (2, 3));
    let up = moments.iter().find(|moment| moment.desired == 3).unwrap();
    // The last sync that is early enough: a pod takes 30 s, and syncs are 15 s apart.
    assert!(
        up.at <= 4 * MINUTE - 30_000 && up.at + 15_001 > 4 * MINUTE - 30_000,
        "{up:?}"
    );
    let down = moments.iter().rfind(|moment| moment.desired == 3).unwrap();
    assert!(down.at + 15_001 >= 5 * MINUTE && down.at < 5 * MINUTE, "{down:?}");
}

#[test]
fn an_hpa_follows_a_step_by_what_it_can_have_seen_and_comes_down_after_its_window() {
    let load = load(40, |minute| {
        Some(if (10..20).contains(&minute) { 600.0 } else { 130.0 })
    });
    let (outcome, moments) = run(&load, &rate_of_70());
    let replicas = by_minute(&moments);
    assert_eq!(replicas[..10], [2; 10], "130/s are 65 for each of 2");
    // Two pods serve 200/s at most, so the controller sees 100 for each, whatever is offered: 3 replicas, and so on.
    assert!(
        replicas[10] < replicas[12] && replicas[12] < replicas[13],
        "{replicas:?}"
    );
    // Those who waited are served too, so for a while there is more to do than the 600/s, which 9 carry at 70 each.
    assert_eq!((replicas[15], replicas[21]), (12, 9), "{replicas:?}");
    // The scale-down window of five minutes ends no earlier than minute 25.
    assert_eq!(replicas[24], 9, "{replicas:?}");
    assert_eq!(replicas[39], 2, "{replicas:?}");
    assert!(
        outcome.short_seconds > 90.0 && outcome.short_seconds < 600.0,
        "{outcome:?}"
    );
    assert_eq!(outcome.peak, 12);
    let (same, _) = run(&load, &rate_of_70());
    assert_eq!(outcome, same);
}

#[test]
fn a_schedule_moves_the_bounds_of_the_hpa_and_nothing_else() {
    let Policy::Hpa(model) = rate_of_70() else {
        panic!()
    };
    // The load begins on 2023-11-14 at 22:13:20 UTC.
    let calendar = Calendar {
        starts: Starts::cron("30 22 * * *").unwrap(),
        duration: Duration::from_secs(600),
        zone: Zone::of("UTC").unwrap(),
        except: [].into(),
    };
    let entry = Entry::new("peak", calendar, Some(6), None).unwrap();
    let base = Bounds { min: 2, max: 20 };
    let scheduled = model.scheduled(base, Schedules::new(vec![entry]));
    let load = load(60, |_| Some(130.0));
    let (_, moments) = run(&load, &Policy::Hpa(Box::new(scheduled)));
    let replicas = by_minute(&moments);
    assert_eq!(replicas[..16], [2; 16]);
    assert!(
        replicas[18..26].iter().all(|one| *one == 6),
        "from 22:30 to 22:40: {replicas:?}"
    );
    // The window of the scale-down counts from the recommendations, which stayed at 2 all the time.
    assert_eq!(replicas[28..], [2; 32], "{replicas:?}");
}

#[test]
fn a_gap_is_no_value_for_the_hpa_and_judged_nowhere() {
    // Before the gap the load fell, so that the HPA would scale down if it took the gap for zero.
    let load = load(60, |minute| match minute {
        20..50 => None,
        _ => Some(600.0),
    });
    let (outcome, moments) = run(&load, &rate_of_70());
    let replicas = by_minute(&moments);
    let before = replicas[19];
    assert!(
        before > 2 && replicas[19..50].iter().all(|one| *one == before),
        "{replicas:?}"
    );
    near(outcome.seconds, 30.0 * 60.0);
    assert!(
        moments
            .iter()
            .all(|moment| moment.judged == moment.rate.is_some())
    );
}

#[test]
fn what_happens_in_the_warm_up_is_not_judged() {
    let load = load(20, |minute| Some(if minute < 10 { 1000.0 } else { 100.0 }));
    let mut assumptions = assumptions();
    assumptions.warm_up = 10 * MINUTE;
    let outcome = replay(&load, &assumptions, &Policy::Static(1), |_| {});
    near(outcome.seconds, 600.0);
    near(outcome.short_seconds, 0.0);
    near(outcome.replica_hours(), 1.0 / 6.0);
}

#[test]
fn queue_depth_queue_age_and_cpu_scale_too() {
    let load = load(30, |minute| Some(if minute < 5 { 150.0 } else { 500.0 }));
    let depth = hpa(
        "{type: External, external: {metric: {name: m}, target: {type: AverageValue, averageValue: '30'}}}",
        Kind::QueueDepth,
    );
    let age = hpa(
        "{type: Object, object: {metric: {name: m}, describedObject: {kind: D, name: d}, target: {type: Value, value: '2'}}}",
        Kind::QueueAge,
    );
    // 5 ms of a core for each request: 100/s are 500m, all that a pod requests.
    let cpu = hpa(
        "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}",
        Kind::Cpu {
            per_request: 0.005,
            window: 30_000,
        },
    );
    for policy in [depth, age] {
        let (outcome, moments) = run(&load, &policy);
        assert!(outcome.peak >= 5, "{policy:?}: {:?}", by_minute(&moments));
    }
    let (_, moments) = run(&load, &cpu);
    assert_eq!(by_minute(&moments)[29], 8, "500/s at 70 % of 100/s each need 7.1");
}

#[test]
fn an_hpa_without_a_metric_that_follows_from_the_load_has_no_model() {
    let Policy::Hpa(model) = rate_of_70() else {
        panic!()
    };
    let none = Model::new(model.hpa().clone(), vec![None], Requests::default());
    assert_eq!(none, Err(NoModel));
}

#[test]
fn a_faster_start_is_never_short_for_longer() {
    let load = load(120, |minute| {
        Some(300.0 + 250.0 * (f64::from(minute) / 10.0).sin())
    });
    let mut assumptions = assumptions();
    let mut short = |seconds: f64| {
        assumptions.time_to_ready = TimeToReady::constant(seconds);
        replay(&load, &assumptions, &rate_of_70(), |_| {}).short_seconds
    };
    let all = [0.0, 60.0, 240.0].map(&mut short);
    assert!(all[0] <= all[1] && all[1] <= all[2], "{all:?}");
}

/// An HPA of 0 to 20 replicas on 50 waiting requests per pod.
fn depth_from_zero() -> Policy {
    let metric = "{type: External, external: {metric: {name: depth}, target: {type: AverageValue, averageValue: '50'}}}";
    let Policy::Hpa(model) = hpa(metric, Kind::QueueDepth) else {
        unreachable!()
    };
    let mut hpa = model.hpa().clone();
    hpa.min = 0;
    Policy::Hpa(Box::new(
        Model::new(hpa, vec![Some(Kind::QueueDepth)], Requests::default()).unwrap(),
    ))
}

#[test]
fn a_queue_whose_load_starts_at_0_wakes_from_0_replicas() {
    let load = load(20, |minute| Some(if minute < 10 { 0.0 } else { 150.0 }));
    let (outcome, moments) = run(&load, &depth_from_zero());
    assert_eq!(moments[0].desired, 0);
    assert!(by_minute(&moments)[..10].iter().all(|replicas| *replicas == 0));
    assert!(outcome.peak >= 2, "{outcome:?}");
}

#[test]
fn a_replay_takes_over_the_replicas_that_it_is_given_and_then_its_own_bounds_apply() {
    let load = load(20, |_| Some(130.0));
    let from = |start| {
        let mut moments = Vec::new();
        replay_from(&load, &assumptions(), &rate_of_70(), Some(start), |moment| {
            moments.push(*moment);
        });
        by_minute(&moments)
    };
    let taken = from(9);
    assert_eq!((taken[0], taken[19]), (9, 2), "{taken:?}");
    assert_eq!(from(30)[0], 20);
    assert_eq!(from(1)[0], 2);
}
