//! Proposals worked out by hand from the description of the algorithm.

use super::*;
use crate::oracle::{Direction, Metric, Phase, Pod, Readiness, Select};

fn direction() -> Direction {
    Direction {
        window: 0.0,
        select: Select::Max,
        policies: Vec::new(),
        tolerance: None,
    }
}

fn hpa() -> Hpa {
    Hpa {
        min: 1,
        max: 100,
        metrics: Vec::<Metric>::new(),
        up: direction(),
        down: direction(),
    }
}

fn pod(request: i64) -> Pod {
    Pod {
        phase: Phase::Running,
        deleting: false,
        started: Some(0.0),
        ready: Some(Readiness {
            is_ready: true,
            since: 1.0,
        }),
        requests: BTreeMap::from([(Resource::Cpu, request)]),
    }
}

fn pods(count: usize) -> Pods {
    (0..count).map(|index| (format!("p{index}"), pod(100))).collect()
}

fn samples(values: &[i64]) -> Reading {
    let sample = |value: &i64| Sample {
        value: *value,
        at: 99.0,
        window: 5.0,
    };
    let samples = values
        .iter()
        .enumerate()
        .map(|(index, value)| (format!("p{index}"), sample(value)));
    Reading::PerPod(samples.collect())
}

fn proposal(target: Target, reading: &Reading, pods: &Pods, current: i32) -> Option<i32> {
    let world = World {
        pods,
        current,
        status: current,
        now: 100.0,
    };
    propose(&hpa(), target, reading, &world)
}

const RATE: Target = Target::PodsAverage(100_000);
const CPU_50: Target = Target::Utilization(Resource::Cpu, 50);

#[test]
fn a_pods_metric_is_averaged_and_multiplied_by_the_counted_pods() {
    let reading = samples(&[280_000, 280_000, 280_000]);
    assert_eq!(proposal(RATE, &reading, &pods(3), 3), Some(9));
}

#[test]
fn within_tolerance_the_current_count_is_proposed() {
    let reading = samples(&[110_000, 110_000]);
    assert_eq!(proposal(RATE, &reading, &pods(2), 7), Some(7));
}

#[test]
fn utilization_is_a_truncated_percentage_of_sums() {
    // 55 % against 50 % is a ratio of exactly 1.1 and so within tolerance.
    let reading = samples(&[55; 10]);
    assert_eq!(proposal(CPU_50, &reading, &pods(10), 10), Some(10));
    // 559 of 1000 truncates to 55 %.
    let reading = samples(&[55, 55, 55, 55, 55, 55, 55, 55, 55, 64]);
    assert_eq!(proposal(CPU_50, &reading, &pods(10), 10), Some(10));
    let reading = samples(&[56; 10]);
    assert_eq!(proposal(CPU_50, &reading, &pods(10), 10), Some(12));
}

#[test]
fn missing_pods_count_as_zero_on_the_way_up() {
    // Two pods with three times the target, two without a sample: 150 % of the target over four pods.
    let reading = samples(&[300_000, 300_000]);
    assert_eq!(proposal(RATE, &reading, &pods(4), 4), Some(6));
}

#[test]
fn missing_pods_count_as_the_target_on_the_way_down() {
    let reading = samples(&[20_000, 20_000]);
    // (20 + 20 + 100 + 100) / 4 = 60 % of the target: ceil(0.6 * 4).
    assert_eq!(proposal(RATE, &reading, &pods(4), 4), Some(3));
}

#[test]
fn missing_pods_use_their_whole_request_on_the_way_down() {
    let reading = samples(&[10]);
    // (10 + 100) of 200 is 55 %, which is within tolerance of 50 %.
    assert_eq!(proposal(CPU_50, &reading, &pods(2), 2), Some(2));
    let target = Target::Utilization(Resource::Cpu, 150);
    // (10 + 150) of 200 is 80 %: ceil(80/150 * 2).
    assert_eq!(proposal(target, &reading, &pods(2), 2), Some(2));
}

#[test]
fn missing_pods_never_turn_the_direction() {
    // One pod at 120 %, three missing: with zeros the ratio is 0.3, the other direction.
    let reading = samples(&[120_000]);
    assert_eq!(proposal(RATE, &reading, &pods(4), 4), Some(4));
}

#[test]
fn pending_pods_are_zero_on_the_way_up_and_left_out_on_the_way_down() {
    let mut pods = pods(4);
    for name in ["p2", "p3"] {
        pods.get_mut(name).unwrap().phase = Phase::Pending;
    }
    let up = samples(&[300_000, 300_000]);
    assert_eq!(proposal(RATE, &up, &pods, 4), Some(6));
    let down = samples(&[20_000, 20_000]);
    assert_eq!(proposal(RATE, &down, &pods, 4), Some(1));
}

#[test]
fn samples_of_pods_that_are_being_deleted_are_dropped() {
    let mut pods = pods(2);
    pods.get_mut("p1").unwrap().deleting = true;
    let reading = samples(&[200_000, 900_000]);
    assert_eq!(proposal(RATE, &reading, &pods, 2), Some(2));
    let only_deleting = Reading::PerPod(BTreeMap::from([(
        "p1".to_owned(),
        Sample {
            value: 1,
            at: 99.0,
            window: 0.0,
        },
    )]));
    assert_eq!(proposal(RATE, &only_deleting, &pods, 2), None);
}

#[test]
fn one_pod_without_a_request_fails_utilization() {
    let mut pods = pods(2);
    pods.get_mut("p1").unwrap().requests.clear();
    assert_eq!(proposal(CPU_50, &samples(&[50, 50]), &pods, 2), None);
}

#[test]
fn an_object_value_multiplies_the_ready_pods() {
    let target = Target::ObjectValue(60_000);
    let mut pods = pods(4);
    pods.get_mut("p3").unwrap().ready = Some(Readiness {
        is_ready: false,
        since: 0.0,
    });
    // 90 s against 60 s: ceil(1.5 * 3), although four are current.
    assert_eq!(proposal(target, &Reading::Object(90_000), &pods, 4), Some(5));
    assert_eq!(proposal(target, &Reading::Object(0), &pods, 4), Some(0));
    assert_eq!(
        proposal(target, &Reading::Object(66_000), &pods, 4),
        Some(4),
        "1.1 is within tolerance"
    );
}

#[test]
fn an_object_value_without_a_ready_pod_proposes_nothing_at_all() {
    let mut pods = pods(1);
    pods.get_mut("p0").unwrap().ready = None;
    let target = Target::ObjectValue(60_000);
    assert_eq!(proposal(target, &Reading::Object(900_000), &pods, 1), Some(0));
    assert_eq!(proposal(target, &Reading::Object(900_000), &Pods::new(), 1), None);
}

#[test]
fn an_object_average_divides_by_the_status_replicas_and_ignores_pods() {
    let target = Target::ObjectAverage(50_000);
    assert_eq!(
        proposal(target, &Reading::Object(360_000), &Pods::new(), 1),
        Some(8)
    );
    let world = World {
        pods: &Pods::new(),
        current: 4,
        status: 5,
        now: 0.0,
    };
    let within = propose(&hpa(), target, &Reading::Object(250_000), &world);
    assert_eq!(within, Some(5), "the status replicas, not the four of the spec");
}

#[test]
fn no_data_is_an_error_and_never_zero() {
    for target in [RATE, CPU_50, Target::ObjectValue(1), Target::ObjectAverage(1)] {
        assert_eq!(proposal(target, &Reading::Missing, &pods(2), 2), None);
    }
    assert_eq!(proposal(RATE, &samples(&[]), &pods(2), 2), None);
}
