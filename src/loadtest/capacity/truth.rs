//! The capacity that is found is the one that the service has, within 5 %, however it grows with the replicas.

use std::{convert::Infallible, path::Path, time::Duration};

use crate::{
    capacity::{search, steps::Steps},
    engine::Settings,
    http::{Protocol, Target, TlsOptions},
    scenario::quick::{self, Level},
};
use tokio_util::sync::CancellationToken;

use support::queue::Queue;

/// Capacity for a number of replicas, where the first one carries 120 requests per second.
type Shape = fn(f64) -> f64;

const SHAPES: [(&str, Shape); 3] = [
    ("constant", |_| 120.0),
    ("linear", |n| 120.0 * n),
    ("scalability law (0.05, 0.02)", |n| {
        120.0 * n / (1.0 + 0.05 * (n - 1.0) + 0.02 * n * (n - 1.0))
    }),
];

/// The capacity that is found for a service whose true capacity is `truth`.
async fn found(truth: f64, step: Duration) -> f64 {
    let service = Queue::start(truth).await;
    let tls = TlsOptions::default();
    let thresholds = ["latency p95 < 500ms", "errors < 1%"].map(|text| text.parse().expect("a threshold"));
    let steps = Steps {
        scenario: quick::scenario(Level::Rate(1.0), step, false, thresholds.to_vec()),
        target: Target::parse(&service.url(), Protocol::Http1, &tls, Path::new("")).expect("a URL"),
        engine: Settings::default(),
        warm_up: Duration::from_millis(500),
        step,
        stop: CancellationToken::new(),
    };
    let settings = search::Settings {
        start: 60.0,
        // Other tests may starve the generator of this one, so steps are repeated more often.
        repeats: 20,
        ..search::Settings::default()
    };
    let steady = async || Ok::<_, Infallible>(true);
    let searched = steps.search(settings, steady, |words| eprintln!("{truth:.1}/s: {words}"));
    searched.await.expect("a capacity").0.held
}

async fn within_five_percent(shape: usize) {
    let (name, capacity) = SHAPES[shape];
    let truth = capacity(3.0);
    let found = found(truth, Duration::from_secs(5)).await;
    assert!(
        (found / truth - 1.0).abs() < 0.05,
        "{name}: {found:.1}/s of three replicas that carry {truth:.1}/s"
    );
}

#[tokio::test]
async fn three_replicas_that_carry_as_much_as_one_are_found_out() {
    within_five_percent(0).await;
}

#[tokio::test]
async fn three_replicas_that_carry_three_times_as_much_are_found_out() {
    within_five_percent(1).await;
}

#[tokio::test]
async fn three_replicas_that_hinder_each_other_are_found_out() {
    within_five_percent(2).await;
}
