//! WebSockets against servers that do not answer as they should.

use std::time::Duration;

use super::{begin_with, contains, hold, json, quiet, scenario, server::Server, target, template};
use crate::{
    engine::Settings,
    http::Protocol,
    model::measured::Measured,
    scenario::{
        model::{Action, Load},
        payload::Payload,
        rate::Profile,
        websocket::{Part, Voice, WebSocket},
    },
};

const SECOND: Duration = Duration::from_secs(1);

/// Ten connections in half a second, and then this pause.
fn ten(pause: Duration) -> Load {
    let mut profile = Profile::constant(20.0, SECOND / 2);
    profile.line(0.0, 0.0, pause);
    Load::Open(profile)
}

async fn run(load: Load, action: Action, timeout: Duration, settings: Settings) -> Measured {
    let server = Server::plain().await;
    let target = target(&server.url, Protocol::Http1, None);
    let mut scenario = scenario(load, vec![action]);
    scenario.timeout = timeout;
    begin_with(scenario, &target, settings).finish().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_echo_that_never_comes_fails_the_step_and_counts_with_the_time_it_was_waited_for() {
    let measured = run(
        ten(4 * SECOND),
        hold("/silent", 2 * SECOND),
        SECOND / 2,
        Settings::default(),
    )
    .await;
    assert_eq!((measured.total.answered, measured.total.failed()), (0, 10));
    let round_trips = measured.websocket.unwrap().round_trip;
    assert!(round_trips.count() >= 10, "{}", round_trips.count());
    assert!(round_trips.quantile(1.0).unwrap() >= SECOND / 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_ends_also_while_the_server_does_not_read() {
    let Action::WebSocket(mut websocket) = hold("/deaf", SECOND / 2) else {
        unreachable!("it is one")
    };
    // A payload larger than the buffers of both sides and of the system together.
    websocket.message.as_mut().unwrap().payload = Payload::Binary(vec![7; 4 << 20]);
    let measured = run(
        ten(8 * SECOND),
        Action::WebSocket(websocket),
        SECOND,
        Settings::default(),
    )
    .await;
    let held = measured.seconds.get(6).map(|second| second.websockets);
    assert_eq!(held, Some(0));
    assert_eq!((measured.total.answered, measured.total.failed()), (0, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_counted_and_limited_like_others() {
    let settings = Settings {
        threads: Some(1),
        max_connections: Some(3),
        ..Settings::default()
    };
    let measured = run(ten(4 * SECOND), hold("/echo", SECOND), 10 * SECOND, settings).await;
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
    let generator = &measured.generator;
    assert_eq!((generator.connections, generator.connections_peak), (10, 3));
    assert_eq!(generator.waited_for_connection, 7);
    assert!(measured.websocket.unwrap().held_peak <= 3);
}

/// The result of ten connections: how many were held, and the failures.
async fn ended(websocket: WebSocket) -> (u64, Vec<String>) {
    ended_of(ten(4 * SECOND), websocket).await
}

/// The same for one connection, with enough time to send what no buffer of the system holds.
async fn ended_of_one(websocket: WebSocket) -> (u64, Vec<String>) {
    let mut profile = Profile::constant(2.0, SECOND / 2);
    profile.line(0.0, 0.0, 8 * SECOND);
    ended_of(Load::Open(profile), websocket).await
}

async fn ended_of(load: Load, websocket: WebSocket) -> (u64, Vec<String>) {
    let measured = run(
        load,
        Action::WebSocket(websocket),
        2 * SECOND,
        Settings::default(),
    )
    .await;
    let causes = measured.total.failures.into_keys().collect();
    (measured.total.answered, causes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_codes_are_told_apart_and_those_that_the_scenario_names_are_no_failure() {
    let told_apart = [
        (1000, "WebSocket: the server closed it with 1000 (normal closure)"),
        (1011, "WebSocket: the server closed it with 1011 (internal error)"),
        (4001, "WebSocket: the server closed it with 4001"),
    ]
    .map(async |(code, cause)| {
        let unnamed = quiet(&format!("/close/{code}"), SECOND);
        let mut named = unnamed.clone();
        named.close = vec![code];
        assert_eq!(ended(unnamed).await, (0, vec![cause.to_owned()]));
        assert_eq!(ended(named).await, (10, Vec::new()), "{code}");
    });
    let what_is_missing = async {
        let mut websocket = quiet("/close/1001", SECOND);
        websocket.close = vec![1001];
        websocket.sequence = vec![awaits("never")];
        // The voice that was to come has not come, so it does not matter how the server closes.
        let cause = "WebSocket: the server closed it with 1001 (going away)";
        assert_eq!(ended(websocket).await, (0, vec![cause.to_owned()]));
    };
    futures::future::join(futures::future::join_all(told_apart), what_is_missing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn binary_messages_come_back_and_pings_are_answered() {
    let Action::WebSocket(mut websocket) = hold("/echo", SECOND) else {
        unreachable!("it is one")
    };
    websocket.message.as_mut().unwrap().payload = Payload::Binary(vec![0, 255, 7]);
    websocket.ping = Some(SECOND / 10);
    let measured = run(
        ten(4 * SECOND),
        Action::WebSocket(websocket),
        10 * SECOND,
        Settings::default(),
    )
    .await;
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
    let websocket = measured.websocket.unwrap();
    assert_eq!((websocket.held, websocket.unanswered), (Some(10), Some(0)));
    assert!(websocket.ping.count() >= 10, "{}", websocket.ping.count());
    assert!(
        websocket.round_trip.count() >= 10,
        "{}",
        websocket.round_trip.count()
    );
    assert_eq!(websocket.messages.0, websocket.messages.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_without_a_pong_fails_the_step() {
    let mut websocket = quiet("/deaf", 10 * SECOND);
    websocket.ping = Some(SECOND / 10);
    let causes = vec!["WebSocket: no pong in time".to_owned()];
    assert_eq!(ended(websocket).await, (0, causes));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_may_end_a_connection_early_only_when_all_its_voice_has_come() {
    let mut websocket = quiet("/voice/3", 10 * SECOND);
    websocket.close = vec![1000];
    let mut voice = Voice {
        request: template("speak"),
        frames: 3,
        gap: SECOND / 50,
        pause: 10 * SECOND,
    };
    websocket.voice = Some(voice.clone());
    assert_eq!(ended(websocket.clone()).await, (10, Vec::new()));
    voice.frames = 100;
    websocket.voice = Some(voice);
    let cause = "WebSocket: the server closed it with 1000 (normal closure)";
    assert_eq!(ended(websocket).await, (0, vec![cause.to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_a_connection_before_it_has_read_what_is_sent_has_not_done_its_part() {
    let mut websocket = quiet("/leave/1000", Duration::ZERO);
    websocket.sequence = vec![Part::Send(Payload::Binary(vec![7; 16 << 20]))];
    websocket.close = vec![1000];
    let cause = "WebSocket: the server closed it with 1000 (normal closure)";
    assert_eq!(ended_of_one(websocket).await, (0, vec![cause.to_owned()]));
}

fn send(text: &str) -> Part {
    Part::Send(Payload::Text(template(text)))
}

fn awaits(text: &str) -> Part {
    Part::Await(contains(text), Some(SECOND))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sequence_is_sent_and_awaited_in_order_before_the_connection_is_held() {
    let mut websocket = quiet("/echo", Duration::ZERO);
    websocket.sequence = vec![
        send(r#"{"hello":"{{user}}"}"#),
        Part::Await(json("/hello"), None),
        Part::Pause(SECOND / 10),
        send("one"),
        Part::Send(Payload::Binary(b"two".to_vec())),
        awaits("two"),
        awaits("one"),
    ];
    let measured = run(
        ten(4 * SECOND),
        Action::WebSocket(websocket.clone()),
        10 * SECOND,
        Settings::default(),
    )
    .await;
    assert_eq!(measured.total.answered, 10, "{:?}", measured.total.failures);
    let all = measured.websocket.unwrap();
    assert_eq!((all.messages, all.round_trip.count()), ((30, 30), 30));

    websocket.sequence.push(awaits("three"));
    let causes = vec!["WebSocket: no awaited message in time".to_owned()];
    assert_eq!(ended(websocket).await, (0, causes));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_at_an_interval_are_one_question_that_is_asked_with_the_last_of_them() {
    let mut websocket = quiet("/echo", Duration::ZERO);
    websocket.sequence = vec![
        Part::Stream {
            payload: Payload::Text(template("frame")),
            times: 5,
            every: SECOND / 10,
        },
        awaits("frame"),
        send("end"),
        awaits("end"),
    ];
    let measured = run(
        ten(4 * SECOND),
        Action::WebSocket(websocket),
        10 * SECOND,
        Settings::default(),
    )
    .await;
    assert_eq!(measured.total.answered, 10, "{:?}", measured.total.failures);
    assert!(measured.elapsed >= 4 * SECOND / 10, "four intervals");
    let all = measured.websocket.unwrap();
    // The first echo comes before the question is asked, so only the one of the end has a round-trip time.
    assert_eq!((all.messages, all.round_trip.count()), ((60, 60), 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_beyond_the_limit_fails_the_step() {
    let mut websocket = quiet("/echo", Duration::ZERO);
    websocket.sequence = vec![send(&"m".repeat(1000)), awaits("m")];
    websocket.largest_message = 1000;
    assert_eq!(ended(websocket.clone()).await, (10, Vec::new()));
    websocket.largest_message = 999;
    let causes = vec!["WebSocket: a message was larger than maxMessageBytes".to_owned()];
    assert_eq!(ended(websocket).await, (0, causes));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_of_the_step_are_sent_with_the_upgrade() {
    let mut websocket = quiet("/private", Duration::ZERO);
    websocket.sequence = vec![send("a"), awaits("a")];
    assert_eq!(ended(websocket.clone()).await, (0, vec!["status 401".to_owned()]));
    websocket.headers = vec![("x-user".to_owned(), template("user {{user}}"))];
    assert_eq!(ended(websocket).await, (10, Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_that_an_upgrade_sets_goes_to_the_next_one_of_a_user_who_keeps_cookies() {
    for (cookies, ended) in [(true, (20, 0)), (false, (10, 10))] {
        let server = Server::plain().await;
        let actions = ["/ticket", "/ticketed"].map(|path| {
            let mut websocket = quiet(path, Duration::ZERO);
            websocket.sequence = vec![send("a"), awaits("a")];
            Action::WebSocket(websocket)
        });
        let mut load = scenario(ten(SECOND), actions.into());
        load.journeys[0].cookies = cookies;
        let target = target(&server.url, Protocol::Http1, None);
        let total = begin_with(load, &target, Settings::default())
            .finish()
            .await
            .unwrap()
            .total;
        assert_eq!((total.answered, total.failed()), ended, "{:?}", total.failures);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voice_that_never_comes_fails_the_step_and_counts_with_the_time_it_was_waited_for() {
    let mut websocket = quiet("/silent", 10 * SECOND);
    websocket.voice = Some(Voice {
        request: template("speak"),
        frames: 3,
        gap: SECOND / 50,
        pause: SECOND,
    });
    let measured = run(
        ten(4 * SECOND),
        Action::WebSocket(websocket),
        SECOND / 2,
        Settings::default(),
    )
    .await;
    let cause = "WebSocket: no voice in time".to_owned();
    assert_eq!(measured.total.failures, [(cause, 10)].into());
    let first_byte = measured.websocket.unwrap().first_byte;
    assert_eq!(first_byte.count(), 10);
    assert!(first_byte.quantile(0.0).unwrap() >= SECOND / 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sequence_ends_while_the_server_does_not_read() {
    let mut websocket = quiet("/deaf", SECOND);
    websocket.sequence = vec![Part::Send(Payload::Binary(vec![7; 16 << 20]))];
    let causes = vec!["WebSocket: a message could not be sent in time".to_owned()];
    assert_eq!(ended_of_one(websocket).await, (0, causes));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_ends_without_a_word_is_1006_and_what_it_owed_counts() {
    let measured = run(
        ten(4 * SECOND),
        hold("/gone", 2 * SECOND),
        10 * SECOND,
        Settings::default(),
    )
    .await;
    let cause = "WebSocket: lost without a close frame (1006)".to_owned();
    assert_eq!(measured.total.failures, [(cause, 10)].into());
    let websocket = measured.websocket.unwrap();
    assert_eq!((websocket.held, websocket.held_share()), (Some(0), Some(0.0)));
    let unanswered = websocket.unanswered.unwrap();
    assert!(unanswered >= 10, "{unanswered}");
    assert_eq!(websocket.round_trip.count(), unanswered);
}
