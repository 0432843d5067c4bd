//! The load engine: protocols, journeys, users, guards.

use std::time::Duration;

use crate::{
    clock::RunClock,
    engine::Settings,
    http::Protocol,
    model::measured::{End, Measured},
};

use super::{parsed, stalls};
use support::service::Server;

async fn measure(text: &str, protocol: Protocol) -> Measured {
    let server = Server::start(None).await;
    let target = stalls::target(&server.url(), protocol);
    let clock = RunClock::begins_in(Duration::from_millis(200));
    stalls::run(parsed(text), &target, Settings::default(), clock).await
}

const JOURNEY: &str = "
load: {users: [{duration: 2s, at: 4}]}
journeys:
- name: user
  think: 20ms-40ms
  headers: {Authorization: 'Bearer {{token}}'}
  steps:
  - {name: log in, once: true, post: /api/auth/login, body: '{\"email\":\"{{user}}\"}', extract: {token: 'json:/token'}}
  - {name: open, post: /api/sessions, body: '{}', extract: {session: 'json:/id'}, checks: [json /id, contains 42]}
  - {name: read, get: '/api/sessions/{{session}}', expect: [200]}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_log_in_once_and_go_on_with_what_they_were_told() {
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let measured = measure(JOURNEY, protocol).await;
        assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
        assert_eq!(measured.steps["log in"].answered, 4);
        let (open, read) = (measured.steps["open"].answered, measured.steps["read"].answered);
        // Four users for 2 s, with pauses of 30 ms.
        assert!(open >= 40 && open - read <= 4, "{open} {read}");
        assert!(
            measured.generator.connections_peak <= 4,
            "{:?}",
            measured.generator
        );
        assert!(
            measured
                .seconds
                .iter()
                .take(2)
                .all(|second| second.concurrency == 4)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_does_not_hold_is_a_failure_with_its_words_and_ends_the_turn() {
    let text = JOURNEY.replace("contains 42", "contains 43");
    let measured = measure(&text, Protocol::Http1).await;
    let causes: Vec<&String> = measured.total.failures.keys().collect();
    assert_eq!(causes, ["check: no \"43\" in the body"]);
    assert_eq!(measured.steps["read"].due, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statuses_and_answers_that_do_not_come_are_failures_by_their_cause() {
    let text = "
load: {rate: [{duration: 1s, at: 20}]}
timeout: 1s
journeys:
- {name: broken, steps: [{get: /broken}]}
- {name: hang, steps: [{get: /hang}]}
";
    let measured = measure(text, Protocol::Http1).await;
    assert_eq!(measured.total.failures["status 500"], 10);
    assert_eq!(measured.total.failures["no answer in time"], 10);
    let waited = measured.steps["GET /hang"]
        .latency
        .quantile(0.5)
        .expect("they waited");
    assert!(waited >= Duration::from_millis(999), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_errors_ends_the_run_and_says_so() {
    let text = "
load: {rate: [{duration: 60s, at: 50}]}
abort: {errors: 50%, over: 2s}
journeys: [{name: broken, steps: [{get: /broken}]}]
";
    let measured = measure(text, Protocol::Http1).await;
    let End::Aborted(words) = &measured.end else {
        panic!("{:?}", measured.end)
    };
    assert!(words.contains("100 % of the requests of 2 s failed"), "{words}");
    assert!(
        measured.elapsed < Duration::from_secs(20),
        "{:?}",
        measured.elapsed
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_websocket_measures_connect_echo_first_byte_and_jitter() {
    let text = "
load: {users: [{duration: 3s, at: 3}]}
journeys:
- name: talk
  steps:
  - name: hold
    websocket:
      path: /ws
      hold: 10s
      message: {text: 'hello {{user}}', every: 100ms}
      voice: {request: '{\"type\":\"voice\",\"frames\":20}', frames: 20, gap: 20ms, pause: 100ms}
";
    let measured = measure(text, Protocol::Http1).await;
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
    let websocket = measured.websocket.expect("there are some");
    assert_eq!((websocket.connected, websocket.held_peak), (3, 3));
    assert!(websocket.failures.is_empty(), "{:?}", websocket.failures);
    assert!(
        websocket.round_trip.count() > 40,
        "{}",
        websocket.round_trip.count()
    );
    assert!(
        websocket.first_byte.count() >= 9,
        "{}",
        websocket.first_byte.count()
    );
    assert!(websocket.jitter.count() >= 9 * 19, "{}", websocket.jitter.count());
    let jitter = websocket.jitter.quantile(0.5).expect("frames");
    assert!(jitter < Duration::from_millis(15), "{jitter:?}");
}
