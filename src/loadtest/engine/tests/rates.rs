//! The rate of a verdict is the rate of the service, whatever it still answers after the load and however
//! long that takes.

use std::time::Duration;

use super::{begin, get, rate, scenario, server::Server, target};
use crate::{
    http::Protocol,
    judge::judge,
    model::{achieved, measured::Measured},
    report::{Report, Verdict},
};

/// A busy machine may disturb one run; a real fault shows in all runs.
const RUNS: usize = 4;

/// Runs 20 requests per second on a path, until a run reports the expected answers per second within 1 %, or
/// within 5 % where answers are few. The verdict is about `rate >= 19.5/s`.
async fn read(path: &str, seconds: u64, expected: f64, within: f64) -> Report {
    let mut last = None;
    for _ in 0..RUNS {
        let report = judged(path, Duration::from_secs(seconds)).await;
        let measured = &report.measured;
        let seen = achieved::rate(&measured.total, measured);
        if seen.is_some_and(|seen| (seen / expected - 1.0).abs() <= within) {
            return report;
        }
        last = Some((seen, summary(measured)));
    }
    panic!("in none of {RUNS} runs {expected}/s within {within}: {last:?}");
}

async fn judged(path: &str, length: Duration) -> Report {
    let server = Server::plain().await;
    let mut load = scenario(rate(20.0, length), vec![get(path)]);
    load.thresholds = vec!["rate >= 19.5/s".parse().unwrap()];
    let target = target(&server.url, Protocol::Http1, None);
    let measured = begin(load.clone(), &target).finish().await.unwrap();
    judge(&load, &server.url, measured, Vec::new(), Vec::new())
}

fn summary(measured: &Measured) -> String {
    let total = &measured.total;
    format!(
        "{} of {}, {:?}",
        total.answered,
        total.due,
        total.latency.quantiles()
    )
}

/// What a queue holds at the end is answered later, after the load.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_carries_half_of_the_load_reads_half_and_fails() {
    let report = read("/line", 5, 10.0, 0.05).await;
    assert_eq!(report.measured.total.answered, 100);
    assert!(!report.checks[0].passed, "{:?}", report.checks);
    assert_ne!(report.verdict, Verdict::Pass);
}

/// Nothing can be answered in the first half second, but that does not make the service slower.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_always_takes_half_a_second_reads_all_of_the_load() {
    let report = read("/after/500", 5, 20.0, 0.01).await;
    assert!(report.checks[0].passed, "{:?}", report.checks);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_takes_three_seconds_and_keeps_up_passes() {
    let report = read("/after/3000", 6, 20.0, 0.025).await;
    assert!(report.checks[0].passed, "{:?}", report.checks);
}
