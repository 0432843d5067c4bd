use std::time::Duration;

use super::*;
use crate::{
    judge::testing::{measured, requests},
    model::scaling::{Replicas, Scaling},
    scenario::rate::Profile,
};

/// A run of one minute whose latencies vary by 10 % around `p95` milliseconds. Every tenth second is far
/// slower.
fn run(p95: f64, failed: u64) -> Stored {
    let mut run = measured(requests(100, 0));
    let noise = [0.9, 1.0, 1.1, 0.95, 1.05, 1.0, 0.9, 1.1, 1.0, 4.0];
    run.seconds = (0..60)
        .zip(noise.into_iter().cycle())
        .map(|(at, noise)| {
            let latency = Duration::from_secs_f64(p95 * noise / 1e3);
            Second {
                at,
                due: 100,
                answered: 100 - failed,
                failed,
                latency: Some(Quantiles {
                    p50: latency / 2,
                    p95: latency,
                    p99: latency * 2,
                    ..Quantiles::default()
                }),
                ..Second::default()
            }
        })
        .collect();
    Stored {
        name: "load".to_owned(),
        target: "http://h".to_owned(),
        load_unit: "requests/s".to_owned(),
        load: Profile::default(),
        checks: Vec::new(),
        doubts: Vec::new(),
        measured: run,
        workloads: Vec::new(),
    }
}

fn compared(baseline: &Stored, run: &Stored) -> Vec<Difference> {
    let mut random = fastrand::Rng::with_seed(7);
    compare(baseline, run, &mut |below| random.usize(..below)).differences
}

fn judged(baseline: &Stored, run: &Stored) -> Vec<Judgement> {
    compared(baseline, run)
        .iter()
        .map(|difference| difference.judgement)
        .collect()
}

#[test]
fn noise_is_no_difference_and_what_is_more_is_one_in_both_directions() {
    use Judgement::{Better, Same, Worse};
    assert_eq!(judged(&run(100.0, 0), &run(100.0, 0)), [Same; 6]);
    assert_eq!(judged(&run(100.0, 0), &run(103.0, 0)), [Same; 6]);
    let slower = judged(&run(100.0, 0), &run(150.0, 0));
    assert_eq!(slower, [Same, Worse, Worse, Worse, Same, Same]);
    let faster = judged(&run(150.0, 0), &run(100.0, 0));
    assert_eq!(faster, [Same, Better, Better, Better, Same, Same]);
    let failing = judged(&run(100.0, 0), &run(100.0, 20));
    assert_eq!(failing, [Worse, Same, Same, Same, Worse, Same]);
}

#[test]
fn connections_that_end_under_more_requests_are_worse() {
    let mut retried = run(100.0, 0);
    for second in &mut retried.measured.seconds {
        second.retried = 3;
    }
    let found = compared(&run(100.0, 0), &retried);
    assert_eq!(
        (found[5].figure, found[5].run, found[5].judgement),
        ("sent twice, %", Some(3.0), Judgement::Worse)
    );
}

#[test]
fn an_open_load_is_judged_by_what_was_due_and_users_by_what_they_got() {
    let mut double = run(100.0, 0);
    for second in &mut double.measured.seconds {
        (second.due, second.answered) = (200, 200);
    }
    let rate = |baseline: &Stored, run: &Stored| compared(baseline, run).remove(0);
    let open = rate(&run(100.0, 0), &double);
    assert_eq!(
        (open.figure, open.run, open.judgement),
        ("answered of due, %", Some(100.0), Judgement::Same)
    );
    // Twice the load, of which half is answered, is no better than the single load.
    let mut half = double.clone();
    for second in &mut half.measured.seconds {
        second.answered = 100;
    }
    assert_eq!(rate(&run(100.0, 0), &half).judgement, Judgement::Worse);
    let users = |mut run: Stored| {
        run.load_unit = "users".to_owned();
        run
    };
    let closed = rate(&users(run(100.0, 0)), &users(double));
    assert_eq!(
        (closed.figure, closed.judgement),
        ("answered per second", Judgement::Better)
    );
}

#[test]
fn runs_that_were_not_made_to_be_compared_are_told() {
    let one = run(100.0, 0);
    assert_eq!(unlike(&one, &one), [""; 0]);
    let mut other = one.clone();
    other.name = "spike".to_owned();
    other.target = "http://other".to_owned();
    other.load = Profile::constant(40.0, Duration::from_secs(20));
    other.measured.elapsed = Duration::from_secs(20);
    assert_eq!(
        unlike(&one, &other),
        [
            "the runs have different scenarios: load and spike",
            "the runs have different targets: http://h and http://other",
            "the runs have different loads: 0 requests/s and 40 requests/s",
            "the runs have different lengths: 10s and 20s",
        ]
    );
}

#[test]
fn what_one_run_did_not_measure_is_unknown_not_better() {
    let mut silent = run(100.0, 0);
    for second in &mut silent.measured.seconds {
        second.latency = None;
    }
    let found = compared(&run(100.0, 0), &silent);
    assert_eq!(found[2].judgement, Judgement::Unknown);
    assert_eq!((found[2].run, found[2].change), (None, None));
    let mut short = run(100.0, 0);
    short.measured.seconds.truncate(4);
    assert_eq!(judged(&short, &run(900.0, 0)), [Judgement::Unknown; 6]);
}

#[test]
fn replicas_are_a_cost_and_count_where_both_runs_were_watched() {
    let watched = |ready: u32| {
        let mut stored = run(100.0, 0);
        stored.workloads.push(Workload {
            scaling: Scaling {
                replicas: vec![Replicas {
                    ready,
                    ..Replicas::default()
                }],
                ..Scaling::default()
            },
            ..Workload::default()
        });
        stored
    };
    let last = |baseline: &Stored, run: &Stored| compared(baseline, run).pop().unwrap();
    let more = last(&watched(4), &watched(6));
    assert_eq!(
        (more.figure, more.judgement),
        ("Ready replicas", Judgement::Worse)
    );
    assert_eq!(last(&watched(4), &watched(4)).judgement, Judgement::Same);
    assert_eq!(last(&run(100.0, 0), &watched(4)).figure, "sent twice, %");
}

#[test]
fn slow_seconds_in_a_row_are_noisier_than_as_many_apart() {
    let width = |values: &[f64]| {
        let mut random = fastrand::Rng::with_seed(7);
        let bounds = bounds(values, values, mean, &mut |below| random.usize(..below)).unwrap();
        bounds.1 - bounds.0
    };
    let row: Vec<f64> = (0..64).map(|at| if at < 16 { 2.0 } else { 1.0 }).collect();
    let apart: Vec<f64> = (0..64).map(|at| if at % 4 == 0 { 2.0 } else { 1.0 }).collect();
    assert!(
        width(&row) > 1.5 * width(&apart),
        "{} {}",
        width(&row),
        width(&apart)
    );
}
