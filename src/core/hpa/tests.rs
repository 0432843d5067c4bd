//! Proposals of single metrics: the traps that simple simulators fall into.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    testing::{CPU_50, NOW, PODS_100, at, metric, object, pod, pods, proposed, replicas, samples},
    *,
};

fn cpu() -> Hpa {
    metric(CPU_50)
}

fn rate() -> Hpa {
    metric(PODS_100)
}

#[test]
fn utilization_is_a_truncated_percentage_of_sums_not_a_mean_of_ratios() {
    let mut large = pod();
    large.requests = Requests::container("app", &[("cpu", 3000)]).into();
    let pods = pods(&[pod(), large]);
    // 100 % of 1000 and 20 % of 3000: the mean of the ratios is 60 %, that of the sums 40 %.
    let proposal = proposed(&cpu(), &samples(&[1000, 639]), &pods, 2, 2).unwrap();
    assert_eq!(proposal.measured, Measured::Utilization(40));
    assert_eq!(proposal.replicas, 2);
}

#[test]
fn exactly_the_tolerance_above_the_target_is_within_it() {
    let ten = vec![pod(); 10];
    assert_eq!(
        replicas(&cpu(), &samples(&[550; 10]), &pods(&ten), 10),
        (10, Outcome::WithinTolerance)
    );
    assert_eq!(
        replicas(&cpu(), &samples(&[560; 10]), &pods(&ten), 10),
        (12, Outcome::Scaled)
    );
    assert_eq!(
        replicas(&cpu(), &samples(&[450; 10]), &pods(&ten), 10),
        (10, Outcome::WithinTolerance)
    );
}

#[test]
fn averages_are_truncated_too() {
    let two = pods(&[pod(), pod()]);
    let proposal = proposed(&rate(), &samples(&[110_000, 110_001]), &two, 2, 2).unwrap();
    assert_eq!(proposal.measured, Measured::Average(110_000));
    assert_eq!(proposal.outcome, Outcome::WithinTolerance);
}

#[test]
fn a_tolerance_of_the_behaviour_counts_in_its_direction() {
    let hpa = testing::read(&format!(
        "maxReplicas: 9\nmetrics: [{PODS_100}]\nbehavior: {{scaleUp: {{tolerance: 500m}}}}"
    ));
    let two = pods(&[pod(), pod()]);
    assert_eq!(
        replicas(&hpa, &samples(&[149_000; 2]), &two, 2).1,
        Outcome::WithinTolerance
    );
    assert_eq!(
        replicas(&hpa, &samples(&[151_000; 2]), &two, 2),
        (4, Outcome::Scaled)
    );
    assert_eq!(replicas(&hpa, &samples(&[80_000; 2]), &two, 2).1, Outcome::Scaled);
}

#[test]
fn a_pod_that_starts_counts_for_everything_but_cpu() {
    let mut starting = pod();
    starting.started = Some(at(NOW - 60));
    starting.ready = Some((Readiness::False, at(NOW - 60)));
    let pods = pods(&[pod(), starting]);
    // The ready pod alone is at 90 %. With the starting pod at zero the two are at 45 %, which turns the
    // direction.
    let proposal = proposed(&cpu(), &samples(&[900, 900]), &pods, 2, 2).unwrap();
    assert_eq!((proposal.replicas, proposal.outcome), (2, Outcome::Damped));
    assert_eq!(
        proposal.pods.map(|pods| (pods.counted, pods.unready)),
        Some((1, 1))
    );
    let proposal = proposed(&rate(), &samples(&[180_000, 180_000]), &pods, 2, 2).unwrap();
    assert_eq!(proposal.replicas, 4);
}

#[test]
fn a_ready_pod_counts_once_a_whole_window_of_its_samples_lies_after_it_became_so() {
    let mut fresh = pod();
    fresh.started = Some(at(NOW - 60));
    let unready = |since: i64| {
        let mut pod = fresh.clone();
        pod.ready = Some((Readiness::True, at(since)));
        let pods = pods(&[pod]);
        proposed(&cpu(), &samples(&[500]), &pods, 1, 1).is_err()
    };
    // The sample was measured at NOW - 15 over the 30 s before.
    assert!(unready(NOW - 44));
    assert!(!unready(NOW - 45));
}

#[test]
fn a_pod_that_was_ready_and_lost_it_counts() {
    let lost = |started: i64, since: i64| {
        let mut pod = pod();
        pod.started = Some(at(started));
        pod.ready = Some((Readiness::False, at(since)));
        proposed(&cpu(), &samples(&[500]), &pods(&[pod]), 1, 1).is_ok()
    };
    assert!(lost(NOW - 1000, NOW - 500));
    assert!(!lost(NOW - 1000, NOW - 990));
}

#[test]
fn unready_pods_are_zero_on_the_way_up_and_left_out_on_the_way_down() {
    let mut pending = pod();
    pending.phase = Phase::Pending;
    let pods = pods(&[pod(), pod(), pending]);
    assert_eq!(
        replicas(&rate(), &samples(&[300_000, 300_000]), &pods, 3),
        (6, Outcome::Scaled)
    );
    assert_eq!(
        replicas(&rate(), &samples(&[50_000, 50_000]), &pods, 3),
        (1, Outcome::Scaled)
    );
}

#[test]
fn missing_pods_are_zero_on_the_way_up_and_at_their_target_on_the_way_down() {
    let four = pods(&[pod(), pod(), pod(), pod()]);
    assert_eq!(
        replicas(&rate(), &samples(&[300_000; 2]), &four, 4),
        (6, Outcome::Scaled)
    );
    // (2 * 10 + 2 * 100) / 4 = 55
    assert_eq!(
        replicas(&rate(), &samples(&[10_000; 2]), &four, 4),
        (3, Outcome::Scaled)
    );
    // A missing pod of a utilization is at its whole request: (2 * 10 + 2 * 100) / 4 = 55 %, which turns the
    // direction.
    assert_eq!(
        replicas(&cpu(), &samples(&[100; 2]), &four, 4),
        (4, Outcome::Damped)
    );
}

#[test]
fn deleting_and_failed_pods_do_not_count_and_unknown_ones_do() {
    let mut deleting = pod();
    deleting.deleting = true;
    let mut failed = pod();
    failed.phase = Phase::Failed;
    let three = pods(&[pod(), deleting, failed]);
    assert_eq!(
        replicas(&rate(), &samples(&[200_000, 0, 0]), &three, 1),
        (2, Outcome::Scaled)
    );
    // The sample of a pod that is gone bends the average.
    let one = pods(&[pod()]);
    assert_eq!(
        replicas(&rate(), &samples(&[200_000, 0]), &one, 1).1,
        Outcome::WithinTolerance
    );
}

#[test]
fn the_sample_of_a_pod_that_is_gone_counts_as_a_pod_where_others_are_missing() {
    let two = Reading::PerPod(Samples {
        of_cohorts: match samples(&[200_000]) {
            Reading::PerPod(samples) => samples.of_cohorts,
            Reading::Total(_) => panic!(),
        },
        strangers: vec![200_000],
    });
    // One of two pods has no sample: (200 + 200 + 0) / 3 = 133 of 100, times three.
    let proposal = proposed(&rate(), &two, &pods(&[pod(), pod()]), 2, 2).unwrap();
    assert_eq!(proposal.replicas, 4);
}

#[test]
fn without_missing_pods_a_surge_may_scale_up_below_the_target() {
    let five = pods(&[pod(), pod(), pod(), pod(), pod()]);
    assert_eq!(
        replicas(&rate(), &samples(&[80_000; 5]), &five, 3),
        (4, Outcome::Scaled)
    );
}

#[test]
fn one_container_without_a_request_fails_the_utilization() {
    let mut bare = pod();
    bare.requests = Requests::container("sidecar", &[]).into();
    let lacking = bare.requests.lacking("cpu", None, Gates::default());
    assert_eq!(lacking, Some("sidecar"));
    let proposal = proposed(&cpu(), &samples(&[900, 900]), &pods(&[pod(), bare]), 2, 2);
    assert_eq!(proposal, Err(MetricError::MissingRequest { cohort: 1 }));
}

#[test]
fn without_pods_a_sample_is_not_enough() {
    for hpa in [cpu(), rate()] {
        let proposal = proposed(&hpa, &samples(&[900]), &pods(&[]), 3, 3);
        assert_eq!(proposal, Err(MetricError::NoPods));
    }
}

#[test]
fn numbers_overflow_as_those_of_the_controller() {
    let mut small = pod();
    small.requests = Requests::container("app", &[("cpu", 1)]).into();
    let one = pods(&[small.clone()]);
    // 3e9 % are -1294967296 in an int32: below the target, so the controller scales down.
    let proposal = proposed(&cpu(), &samples(&[30_000_000]), &one, 1, 1).unwrap();
    assert_eq!(proposal.measured, Measured::Utilization(-1_294_967_296));
    assert!(proposal.replicas < 0);
    // The sum of two amounts wraps around, and so does a percentage.
    let two = pods(&[pod(), pod()]);
    let proposal = proposed(&rate(), &samples(&[i64::MAX, 2]), &two, 2, 2).unwrap();
    assert_eq!(proposal.measured, Measured::Average((i64::MIN + 1) / 2));
    // A ratio beyond an int32 proposes the smallest number, but for the External metrics with an average.
    let huge = |source: &str| {
        let target = "target: {type: AverageValue, averageValue: 1m}";
        let described = "describedObject: {kind: D, name: d}";
        let hpa = metric(&format!(
            "{{type: {source}, {}: {{metric: {{name: m}}, {target}, {described}}}}}",
            source.to_lowercase()
        ));
        proposed(&hpa, &Reading::Total(i64::MAX), &one, 1, 1)
            .unwrap()
            .replicas
    };
    assert_eq!((huge("Object"), huge("External")), (i32::MIN, i32::MAX));
}

#[test]
fn a_total_against_an_average_counts_status_replicas_and_no_pods() {
    let hpa = metric(&object("{type: AverageValue, averageValue: '50'}"));
    let of = |total: i64, current, status| {
        let proposal = proposed(&hpa, &Reading::Total(total), &pods(&[]), current, status).unwrap();
        (proposal.replicas, proposal.outcome)
    };
    assert_eq!(of(180_000, 1, 1), (4, Outcome::Scaled));
    assert_eq!(of(200_001, 1, 1), (5, Outcome::Scaled));
    // A rollout runs one surge pod, and the metric proposes one replica more than `spec.replicas`.
    assert_eq!(of(210_000, 3, 4), (4, Outcome::WithinTolerance));
    assert_eq!(of(0, 0, 0), (0, Outcome::Scaled));
    assert_eq!(of(1, 0, 0), (1, Outcome::Scaled));
}

#[test]
fn a_total_against_a_value_multiplies_pods_that_are_running_and_ready() {
    let hpa = metric(&object("{type: Value, value: '60'}"));
    let mut unready = pod();
    unready.ready = Some((Readiness::False, at(100)));
    let mut deleting = pod();
    deleting.deleting = true;
    let of = |total: i64, pods: &[Pod], current| {
        proposed(
            &hpa,
            &Reading::Total(total),
            &testing::pods(pods),
            current,
            current,
        )
        .map(|proposal| proposal.replicas)
    };
    assert_eq!(of(120_000, &[pod(), deleting, unready.clone()], 3), Ok(4));
    assert_eq!(of(120_000, &[unready], 3), Ok(0));
    assert_eq!(of(120_000, &[], 3), Err(MetricError::NoPods));
    assert_eq!(
        of(61_000, &[], 0),
        Ok(2),
        "from zero there is no tolerance and there are no pods"
    );
    assert_eq!(of(66_000, &[], 3), Ok(3), "the tolerance comes before the pods");
}

#[test]
fn which_target_counts_depends_on_the_type_for_object_metrics_alone() {
    let both = "type: Value, averageValue: '1', value: '2'";
    let target = |text: &str| metric(text).metrics[0].clone().map(|metric| metric.target);
    assert_eq!(target(&object(&format!("{{{both}}}"))), Ok(Target::Value(2000)));
    let external = format!("{{type: External, external: {{metric: {{name: m}}, target: {{{both}}}}}}}");
    assert_eq!(target(&external), Ok(Target::AverageValue(1000)));
    assert!(target(&object("{type: Value, averageValue: '1'}")).is_err());
}

/// Pods in different states, with and without samples, as named pods and as cohorts.
#[test]
fn cohorts_propose_what_their_pods_would() {
    let mut pending = pod();
    pending.phase = Phase::Pending;
    let mut deleting = pod();
    deleting.deleting = true;
    let kinds = [pod(), pod(), pending, deleting, pod()];
    for value in [1, 300, 499, 500, 501, 900, 4000] {
        let sample = |value| {
            Some(Sample {
                value,
                at: at(NOW - 15),
                window: Duration::from_secs(30),
            })
        };
        // The last kind has no sample.
        let values = [sample(value), sample(value / 2), sample(7), sample(9), None];
        let mut named = (Vec::new(), Vec::new());
        let mut cohorts = Vec::new();
        for (position, kind) in kinds.iter().enumerate() {
            let count = position + 2;
            cohorts.push(Cohort {
                pod: kind.clone(),
                count,
            });
            for _ in 0..count {
                named.0.extend(pods(std::slice::from_ref(kind)));
                named.1.push(values[position]);
            }
        }
        let reading = |of_cohorts| {
            Reading::PerPod(Samples {
                of_cohorts,
                strangers: vec![5, 6],
            })
        };
        for hpa in [cpu(), rate()] {
            let together = proposed(&hpa, &reading(values.to_vec()), &cohorts, 9, 9);
            let apart = proposed(&hpa, &reading(named.1.clone()), &named.0, 9, 9);
            assert_eq!(together, apart, "{value}");
            assert!(together.is_ok());
        }
    }
}

proptest! {
    /// More load never asks for fewer replicas.
    #[test]
    fn proposals_grow_with_the_value(low in 0_i64..1_000_000, more in 0_i64..1_000_000, count in 1_usize..20) {
        let all = pods(&vec![pod(); count]);
        let current = i32::try_from(count).unwrap();
        let of = |value: i64| replicas(&rate(), &samples(&vec![value; count]), &all, current).0;
        prop_assert!(of(low) <= of(low + more));
    }

    /// With all pods counted the proposal would bring the average to its target.
    #[test]
    fn a_proposal_carries_the_load_at_the_target(value in 0_i64..1_000_000, count in 1_usize..20) {
        let all = pods(&vec![pod(); count]);
        let current = i32::try_from(count).unwrap();
        let (proposed, outcome) = replicas(&rate(), &samples(&vec![value; count]), &all, current);
        if outcome == Outcome::Scaled {
            prop_assert!(i64::from(proposed) * 100_000 >= value * i64::from(current));
        }
    }
}
