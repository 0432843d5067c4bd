//! Requests that wait for an HTTP/2 stream, and how they end.

use super::{
    Settings, begin_with,
    connections::{SECOND, finished, users},
    get,
    habits::{Habit, Later},
    scenario, target,
};
use crate::{
    http::Protocol,
    model::measured::Measured,
    scenario::{
        model::{Load, Scenario},
        rate::Profile,
    },
};

async fn measure(habit: &Habit, scenario: Scenario, max_connections: u64) -> Measured {
    let settings = Settings {
        max_connections: Some(max_connections),
        threads: Some(1),
        ..Settings::default()
    };
    let target = target(&habit.url, Protocol::Http2, None);
    finished(begin_with(scenario, &target, settings)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_connection_that_never_opens_is_served_on_one_that_is_open() {
    let habit = Habit::http2_once(SECOND / 10, 10, Later::Held).await;
    let measured = measure(&habit, scenario(users(30.0, SECOND), vec![get("/")]), 1000).await;
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
    assert!(measured.total.answered >= 30, "{}", measured.total.answered);
    // Two more connections are being opened, for ten requests each.
    assert_eq!(habit.seen(|seen| (seen.connections, seen.under_way.1)), (3, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_not_to_be_had_fails_one_request_while_others_wait_for_streams() {
    let habit = Habit::http2_once(SECOND / 10, 10, Later::Ended).await;
    let measured = measure(&habit, scenario(users(30.0, SECOND), vec![get("/")]), 1000).await;
    let refused = habit.seen(|seen| seen.connections - 1);
    let failed = usize::try_from(measured.total.failed()).unwrap();
    assert!(
        0 < failed && failed <= refused,
        "{refused} {:?}",
        measured.total.failures
    );
    // Refused requests are not retried without end.
    assert!(refused <= 60, "{refused}");
    assert!(measured.total.answered >= 30, "{}", measured.total.answered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_allows_no_streams_for_now_is_waited_for_on_one_connection() {
    let habit = Habit::allowing_none_until(SECOND / 2).await;
    let measured = measure(&habit, scenario(users(5.0, SECOND), vec![get("/")]), 20).await;
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
    assert!(measured.total.answered >= 5, "{}", measured.total.answered);
    assert_eq!(habit.seen(|seen| seen.connections), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_waits_after_it_was_refused_was_sent() {
    let habit = Habit::refusing_one_and_silent(SECOND).await;
    let mut second_comes_later = Profile::default();
    second_comes_later.line(1.0, 1.0, SECOND / 5);
    second_comes_later.line(2.0, 2.0, SECOND / 5);
    let mut scenario = scenario(Load::Closed(second_comes_later), vec![get("/")]);
    scenario.timeout = 3 * SECOND;
    let measured = measure(&habit, scenario, 1).await;
    assert_eq!(
        (measured.total.failed(), measured.total.retried),
        (2, 1),
        "{:?}",
        measured.total.failures
    );
    // The first request ends in time before the second, which had a stream in the meantime.
    assert_eq!(measured.total.latency.count(), 2);
}
