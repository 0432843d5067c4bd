//! Requests that a user sends at once.

use std::time::Duration;

use super::{begin_with, parsed, server::Server, target};
use crate::{engine::Settings, http::Protocol, model::measured::Measured};

async fn measure(text: &str, protocol: Protocol) -> Measured {
    let server = Server::plain().await;
    let settings = Settings {
        threads: Some(1),
        ..Settings::default()
    };
    let running = begin_with(parsed(text), &target(&server.url, protocol, None), settings);
    running.finish().await.unwrap()
}

/// Three requests that are answered when all of them are there, and one after them.
const MEETING: &str = "
load: {users: [{duration: 1m, at: 1}], iterations: 3}
timeout: 5s
journeys:
- name: a
  steps:
  - parallel: [{name: one, get: /meet}, {name: two, get: /meet}, {name: three, get: /meet}]
    once: true
  - {name: after, get: /}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_requests_of_a_batch_are_under_way_together_and_each_counts() {
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let measured = measure(MEETING, protocol).await;
        let answered = ["one", "two", "three", "after"].map(|step| measured.steps[step].answered);
        assert_eq!(answered, [1, 1, 1, 3], "{:?}", measured.total.failures);
        assert_eq!(measured.total.failed(), 0);
        let wanted = if protocol == Protocol::Http1 { 3 } else { 1 };
        assert_eq!(measured.generator.connections_peak, wanted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_fails_ends_the_turn_when_the_others_are_over() {
    let text = "
load: {users: [{duration: 1m, at: 1}], iterations: 2}
journeys:
- name: a
  steps:
  - parallel: [{name: fails, get: /, expect: [201]}, {name: slow, get: /after/50}]
  - {name: after, get: /}
";
    let measured = measure(text, Protocol::Http1).await;
    let due = ["fails", "slow"].map(|step| measured.steps[step].due);
    assert_eq!(due, [2, 2]);
    assert_eq!(measured.steps["slow"].answered, 2);
    assert_eq!(measured.steps["fails"].failed(), 2);
    assert_eq!(measured.steps["after"].due, 0, "the turn was over");
    assert!(measured.steps["slow"].latency.quantile(0.5) >= Some(Duration::from_millis(49)));
}
