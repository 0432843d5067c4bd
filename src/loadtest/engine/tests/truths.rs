//! The measurements of a run are what happened.

use std::time::Duration;

use super::{begin, contains, get, hold, quiet, rate, scenario, server::Server, target, template};
use crate::{
    http::Protocol,
    model::measured::End,
    scenario::{
        model::{Abort, Action, Load},
        payload::Payload,
        rate::Profile,
        websocket::Part,
    },
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_websockets_share_a_target_with_tls_whatever_version_it_speaks() {
    let server = Server::tls(Duration::ZERO).await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let steps = vec![get("/"), hold("/echo", SECOND / 4)];
        let target = target(&server.url, protocol, Some(&server.ca));
        let measured = begin(scenario(rate(20.0, SECOND), steps), &target).finish().await;
        let measured = measured.unwrap();
        assert_eq!(
            measured.total.failed(),
            0,
            "{protocol:?} {:?}",
            measured.total.failures
        );
        assert_eq!(measured.steps["0"].answered, 20, "{protocol:?}");
        let websocket = measured.websocket.unwrap();
        assert!(
            websocket.connected > 0 && websocket.round_trip.count() > 0,
            "{websocket:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_a_certificate_of_somebody_else_is_not_trusted() {
    let (server, other) = (
        Server::tls(Duration::ZERO).await,
        Server::tls(Duration::ZERO).await,
    );
    let target = target(&server.url, Protocol::Http1, Some(&other.ca));
    let load = scenario(rate(20.0, SECOND / 2), vec![get("/")]);
    let measured = begin(load, &target).finish().await.unwrap();
    assert_eq!((measured.total.answered, measured.total.failed()), (0, 10));
    let mut causes = measured.total.failures.keys();
    assert!(
        causes.all(|cause| cause.starts_with("TLS: ")),
        "{:?}",
        measured.total.failures
    );
}

/// However long the server takes to connect, the generator sends in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_handshake_is_service_time_and_no_error_of_the_schedule() {
    let delay = Duration::from_millis(600);
    let server = Server::tls(delay).await;
    let mut target = target(&server.url, Protocol::Http1, Some(&server.ca));
    target.fresh_connections = true;
    let load = scenario(rate(20.0, SECOND), vec![get("/")]);
    let measured = begin(load, &target).finish().await.unwrap();
    assert_eq!(measured.total.answered, 20, "{:?}", measured.total.failures);
    let service_time = measured.total.service_time.quantile(0.0).unwrap();
    assert!(service_time >= delay.mul_f64(0.99), "{service_time:?}");
    let late = measured.schedule_error.quantile(0.5).unwrap();
    assert!(late < delay / 2, "{late:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_that_is_lost_while_it_is_held_has_failed() {
    let server = Server::plain().await;
    let load = scenario(rate(20.0, SECOND / 2), vec![hold("/short", 10 * SECOND)]);
    // Connections that are still held at the end of the load are closed then. A pause at the end keeps the
    // load open.
    let mut profile = load.load.profile().clone();
    profile.line(0.0, 0.0, 2 * SECOND);
    let load = crate::scenario::model::Scenario {
        load: Load::Open(profile),
        ..load
    };
    let target = target(&server.url, Protocol::Http1, None);
    let measured = begin(load, &target).finish().await.unwrap();
    assert_eq!((measured.total.answered, measured.total.failed()), (0, 10));
    let seconds = measured.seconds.iter();
    let ended = seconds.map(|second| (second.answered, second.failed));
    let ended = ended.fold((0, 0), |all, second| (all.0 + second.0, all.1 + second.1));
    assert_eq!(ended, (0, 10), "the seconds are those of the run");
    assert_eq!(measured.websocket.unwrap().connected, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_loses_every_websocket_after_a_while_ends_the_run() {
    let server = Server::plain().await;
    let mut websocket = quiet("/short", 10 * SECOND);
    let end = [
        Part::Pause(3 * SECOND / 2),
        Part::Send(Payload::Text(template("end"))),
    ];
    websocket.sequence = end.into();
    let mut load = scenario(rate(30.0, 20 * SECOND), vec![Action::WebSocket(websocket)]);
    let over = SECOND;
    load.abort = Some(Abort { errors: 0.8, over });
    let target = target(&server.url, Protocol::Http1, None);
    let measured = begin(load, &target).finish().await.unwrap();
    assert!(matches!(measured.end, End::Aborted(_)), "{:?}", measured.end);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_answer_costs_to_decode_and_to_check_is_no_time_of_the_service() {
    let server = Server::plain().await;
    let Action::Request(mut request) = get("/large") else {
        unreachable!("it is one")
    };
    // Every part of the body is compared with this text, which takes seconds.
    let late = contains(&format!("{}z", "a".repeat(32 * 1024)));
    request.checks = vec![late.clone(), late];
    let load = Load::Closed(Profile::constant(1.0, SECOND / 4));
    let target = target(&server.url, Protocol::Http1, None);
    let load = scenario(load, vec![Action::Request(request)]);
    let total = begin(load, &target).finish().await.unwrap().total;
    assert!(total.answered > 0 && total.failed() == 0, "{:?}", total.failures);
    let service_time = total.service_time.quantile(0.0).unwrap();
    assert!(service_time < SECOND, "{service_time:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_was_as_long_as_requests_were_sent() {
    let server = Server::plain().await;
    let target = target(&server.url, Protocol::Http1, None);
    let load = scenario(rate(20.0, 60 * SECOND), vec![get("/late")]);
    let mut running = begin(load, &target);
    running.next_second().await.unwrap();
    running.stop(End::Interrupted);
    let measured = running.finish().await.unwrap();
    assert_eq!(measured.end, End::Interrupted);
    // Requests in flight were awaited for another one and a half seconds.
    assert!(measured.total.answered >= 20, "{}", measured.total.answered);
    assert!(measured.seconds.len() >= 3, "{}", measured.seconds.len());
    assert!(
        measured.elapsed >= SECOND && measured.elapsed < 2 * SECOND,
        "{:?}",
        measured.elapsed
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_whose_steps_fail_without_any_wait_do_not_keep_a_run_from_its_end() {
    let target = target("http://127.0.0.1:9", Protocol::Http1, None);
    let load = Load::Closed(Profile::constant(2.0, SECOND / 4));
    let running = begin(scenario(load, vec![get("/{{nothing}}")]), &target);
    let measured = tokio::time::timeout(20 * SECOND, running.finish()).await;
    let measured = measured.expect("the run ends").unwrap();
    assert!(measured.total.failed() > 0 && measured.total.answered == 0);
}
