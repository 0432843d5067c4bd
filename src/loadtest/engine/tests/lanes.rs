//! Loads that run side by side, each with its users or rate, start and journeys.

use std::{collections::BTreeSet, time::Duration};

use super::{begin_with, parsed, target};
use crate::{
    engine::Settings,
    http::Protocol,
    model::measured::{End, Measured},
};
use support::service::Server;

async fn measure(text: &str) -> Measured {
    let server = Server::start(None).await;
    let settings = Settings {
        threads: Some(2),
        ..Settings::default()
    };
    let target = target(&server.url(), Protocol::Http1, None);
    let running = begin_with(parsed(text), &target, settings);
    running.finish().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_load_has_its_own_journeys_and_start_and_the_run_ends_with_the_longest() {
    let measured = measure(
        "
loads:
- {name: browse, rate: [{duration: 1s, at: 60}], journeys: [browse]}
- {name: buy, start: 1s, users: [{duration: 1500ms, at: 3}], journeys: [buy]}
journeys:
- {name: browse, steps: [{name: look, get: /health}]}
- {name: buy, think: 50ms, steps: [{name: order, get: /health}]}
",
    )
    .await;
    let due = |step: &str| measured.steps[step].due;
    assert_eq!(due("look"), 60);
    // Three users for 1.5 s, with pauses of 50 ms.
    let orders = due("order");
    assert!((3..=90).contains(&orders), "{orders}");
    let first: u64 = measured.seconds.iter().take(1).map(|second| second.due).sum();
    assert_eq!(first, 60, "nothing is ordered in the first second");
    let users: Vec<u64> = measured.seconds.iter().map(|second| second.concurrency).collect();
    assert_eq!(users.get(1), Some(&3), "{users:?}");
    assert_eq!(measured.elapsed, Duration::from_millis(2500));
    assert_eq!((&measured.end, measured.total.failed()), (&End::Completed, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_with_a_number_of_journeys_ends_alone_and_the_run_when_all_have() {
    let lanes = |second: &str| {
        format!(
            "
loads:
- {{name: few, users: [{{duration: 1m, at: 2}}], iterations: 5, journeys: [a]}}
- {{name: more, {second}, journeys: [b]}}
journeys:
- {{name: a, steps: [{{name: a, get: /health}}]}}
- {{name: b, think: 20ms, steps: [{{name: b, get: /health}}]}}
"
        )
    };
    let both = measure(&lanes("users: [{duration: 1m, at: 2}], iterations: 21")).await;
    assert_eq!((both.steps["a"].due, both.steps["b"].due), (5, 21));
    assert!(both.elapsed < Duration::from_secs(30), "{:?}", both.elapsed);
    assert_eq!(both.planned, both.elapsed);
    let mut one = lanes("rate: [{duration: 1s, at: 10}]");
    one = one.replace("duration: 1m", "duration: 1s");
    let one = measure(&one).await;
    assert_eq!((one.steps["a"].due, one.steps["b"].due), (5, 10));
    assert_eq!(one.elapsed, Duration::from_secs(1));
}

#[test]
fn users_of_all_loads_have_different_numbers() {
    let text = "
loads:
- {name: a, users: [{duration: 1s, at: 3}]}
- {name: b, users: [{duration: 1s, at: 3}]}
- {name: c, rate: [{duration: 1s, at: 3}]}
journeys: [{name: a, steps: [{get: /}]}]
";
    let target = target("http://127.0.0.1:9", Protocol::Http1, None);
    let plan = crate::engine::plan::Plan::new(&parsed(text), &target).unwrap();
    let ids = (0..3).flat_map(|lane| (0..3).map(move |number| crate::engine::plan::UserId { lane, number }));
    let numbers: BTreeSet<u64> = ids.map(|id| plan.number_of(id)).collect();
    assert_eq!(numbers, (0..9).collect());
}
