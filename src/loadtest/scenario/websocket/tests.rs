use std::time::Duration;

use super::{Part, WebSocket};
use crate::scenario::{check::Subject, model::Action, parse, payload::Payload};

fn scenario(step: &str) -> String {
    format!(
        "load: {{rate: [{{duration: 1s, at: 5}}]}}\njourneys:\n- name: a\n  steps:\n  - {{name: talk, {step}}}\n"
    )
}

fn read(step: &str) -> Result<WebSocket, String> {
    let none = |_: &str| Err(String::new());
    let scenario = parse(&scenario(step), "test", &none).map_err(|error| error.to_string())?;
    match scenario
        .journeys
        .into_iter()
        .next()
        .unwrap()
        .steps
        .remove(0)
        .action
    {
        Action::WebSocket(websocket) => Ok(websocket),
        Action::Request(_) => panic!("a websocket"),
    }
}

#[test]
fn headers_a_sequence_pings_and_close_codes_are_read() {
    let websocket = read(
        "headers: {x-tenant: 'u{{user}}'}, websocket: {path: /ws, hold: 0s, ping: 20s, maxMessageBytes: 1024, \
         close: [1000, 4001], sequence: [{send: 'hello {{user}}'}, {sendBinary: AAEC}, \
         {await: json /ok, within: 2s}, {pause: 500ms}]}",
    )
    .unwrap();
    assert_eq!(websocket.headers[0].0, "x-tenant");
    let [
        Part::Send(Payload::Text(_)),
        Part::Send(Payload::Binary(bytes)),
        awaited,
        pause,
    ] = websocket.sequence.as_slice()
    else {
        panic!("{:?}", websocket.sequence)
    };
    assert_eq!(bytes, &[0, 1, 2]);
    let Part::Await(check, within) = awaited else {
        panic!("{awaited:?}")
    };
    assert_eq!(
        (&check.subject, *within),
        (&Subject::Json("/ok".to_owned()), Some(Duration::from_secs(2)))
    );
    assert_eq!(*pause, Part::Pause(Duration::from_millis(500)));
    assert_eq!(websocket.variables().collect::<Vec<_>>(), ["user", "user"]);
    assert_eq!(
        (websocket.largest_message, websocket.close),
        (1024, vec![1000, 4001])
    );
    assert_eq!(websocket.ping, Some(Duration::from_secs(20)));
}

#[test]
fn a_message_that_is_sent_several_times_takes_the_time_between_them() {
    let websocket = read(
        "websocket: {path: /ws, hold: 1s, sequence: [{sendBinary: AAEC, times: 50, every: 20ms}, {send: '{{user}}', times: 1, every: 1s}]}",
    )
    .unwrap();
    let stream = |payload, times, every| Part::Stream {
        payload,
        times,
        every: Duration::from_millis(every),
    };
    assert_eq!(
        websocket.sequence[0],
        stream(Payload::Binary(vec![0, 1, 2]), 50, 20)
    );
    assert_eq!(websocket.variables().collect::<Vec<_>>(), ["user"]);
    assert_eq!(websocket.duration(), Duration::from_millis(49 * 20 + 1000));
}

#[test]
fn what_a_websocket_cannot_have_is_refused_with_its_place_and_what_to_write_instead() {
    for (step, words) in [
        (
            "checks: [contains a], websocket: {path: /ws, hold: 1s}",
            "journeys[0].steps[0].checks: a websocket has none; wait for a message with {await: contains TEXT} in websocket.sequence",
        ),
        (
            "body: a, websocket: {path: /ws, hold: 1s}",
            "journeys[0].steps[0].body: a websocket has none",
        ),
        (
            "expect: [101], websocket: {path: /ws, hold: 1s}",
            "journeys[0].steps[0].expect: a websocket has none",
        ),
        (
            "extract: {a: 'json:/a'}, websocket: {path: /ws, hold: 1s}",
            "journeys[0].steps[0].extract: a websocket has none",
        ),
        (
            "follow: true, websocket: {path: /ws, hold: 1s}",
            "journeys[0].steps[0].follow: a websocket has none",
        ),
        (
            "headers: {'a b': x}, websocket: {path: /ws, hold: 1s}",
            "journeys[0].steps[0].headers: \"a b\" is not the name of a header",
        ),
        (
            "headers: {a: '{{token}}'}, websocket: {path: /ws, hold: 1s}",
            "journeys[0].steps[0]: {{token}} has no value",
        ),
        (
            "websocket: {path: /ws, hold: 0s}",
            "websocket.hold: must be more than 0s",
        ),
        (
            "websocket: {path: /ws, hold: 1s, close: [1006]}",
            "websocket.close[0]: 1006 is no code",
        ),
        (
            "websocket: {path: /ws, hold: 1s, message: {every: 1s}}",
            "websocket.message: must have exactly one of text and binary",
        ),
        (
            "websocket: {path: /ws, hold: 1s, message: {binary: '%', every: 1s}}",
            "websocket.message.binary: must be base64",
        ),
        (
            "websocket: {path: /ws, hold: 1s, sequence: [{send: a, pause: 1s}]}",
            "websocket.sequence[0]: must have exactly one of send, sendBinary, await and pause",
        ),
        (
            "websocket: {path: /ws, hold: 1s, sequence: [{pause: 1s, within: 1s}]}",
            "websocket.sequence[0].within: belongs to an await",
        ),
        (
            "websocket: {path: /ws, hold: 1s, sequence: [{await: contains a, within: 11s}]}",
            "websocket.sequence[0].within: must not be longer than the scenario's timeout",
        ),
        (
            "websocket: {path: /ws, hold: 1s, sequence: [{send: a, times: 5}]}",
            "websocket.sequence[0].times: needs the time from one to the next",
        ),
        (
            "websocket: {path: /ws, hold: 1s, sequence: [{send: a, every: 1s}]}",
            "websocket.sequence[0].every: needs how many there are",
        ),
        (
            "websocket: {path: /ws, hold: 1s, sequence: [{send: a, times: 0, every: 1s}]}",
            "websocket.sequence[0].times: 0 must be at least 1",
        ),
        (
            "websocket: {path: /ws, hold: 1s, sequence: [{send: a, times: 5, every: 0s}]}",
            "websocket.sequence[0].every: must be more than 0s",
        ),
        (
            "websocket: {path: /ws, hold: 1s, sequence: [{pause: 1s, times: 5, every: 1s}]}",
            "websocket.sequence[0].times: belongs to a send or a sendBinary",
        ),
        (
            "websocket: {path: /ws, hold: 1s, maxMessageBytes: 0}",
            "websocket.maxMessageBytes: must be at least 1",
        ),
    ] {
        let error = read(step).unwrap_err();
        assert!(error.contains(words), "{step}\n{words}\n{error}");
    }
}

#[test]
fn thresholds_of_websockets_need_one_and_are_of_all_of_them() {
    let none = |_: &str| Err(String::new());
    let read = |threshold: &str, step: &str| {
        let text = format!("thresholds: ['{threshold}']\n{}", scenario(step));
        parse(&text, "test", &none).map_err(|error| error.to_string())
    };
    let websocket = "websocket: {path: /ws, hold: 1s}";
    assert!(read("ws_rtt p95 < 200ms", websocket).is_ok());
    let error = read("ws_rtt p95 < 200ms", "get: /").unwrap_err();
    assert!(error.contains("thresholds[0]: no step is a websocket"), "{error}");
    let error = read("step talk: ws_rtt p95 < 200ms", websocket).unwrap_err();
    assert!(
        error.contains(
            "thresholds[0]: \"ws_rtt p95 < 200ms\" is of all WebSocket connections; leave out \"step talk: \""
        ),
        "{error}"
    );
}
