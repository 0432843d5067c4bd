//! The engine against a real server on this machine.

mod batches;
mod causes;
mod connections;
mod drain;
mod habits;
mod hosts;
mod journeys;
mod lanes;
mod pages;
mod parts;
mod rates;
mod raw;
mod requests;
mod room;
mod server;
mod stalls;
mod streams;
mod traffic;
mod truths;
mod turns;
mod uploads;
mod values;
mod websockets;

use std::{path::Path, sync::Arc, time::Duration};

use super::{Running, Settings, start};
use crate::{
    clock::RunClock,
    http::{Protocol, Target, TlsOptions},
    scenario::{
        check::{Check, Subject},
        inputs::Inputs,
        model::{Action, Journey, Load, Request, Scenario, Statuses, Step, Think},
        parse,
        part::Part,
        payload::Payload,
        rate::Profile,
        template::Template,
        websocket::{LARGEST_MESSAGE, Messages, WebSocket},
    },
};

/// Time for the threads to start.
const LEAD: Duration = Duration::from_millis(300);

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

/// A check that a body contains a text.
fn contains(text: &str) -> Check {
    Check {
        negated: false,
        subject: Subject::Contains(template(text)),
        text: format!("contains {text}"),
    }
}

/// A check that a body is JSON and has a value at a pointer.
fn json(pointer: &str) -> Check {
    Check {
        negated: false,
        subject: Subject::Json(pointer.to_owned()),
        text: format!("json {pointer}"),
    }
}

fn get(path: &str) -> Action {
    request("GET", path)
}

fn post(path: &str) -> Action {
    request("POST", path)
}

fn request(method: &str, path: &str) -> Action {
    Action::Request(Request {
        method: method.to_owned(),
        path: template(path),
        headers: Vec::new(),
        body: None,
        expect: Statuses::Success,
        extract: [].into(),
        checks: Vec::new(),
        follow: None,
    })
}

fn hold(path: &str, hold: Duration) -> Action {
    let mut websocket = quiet(path, hold);
    websocket.message = Some(Messages {
        payload: Payload::Text(template("hello {{user}}")),
        every: Duration::from_millis(50),
    });
    Action::WebSocket(websocket)
}

/// A connection on which nothing is sent.
fn quiet(path: &str, hold: Duration) -> WebSocket {
    WebSocket {
        path: template(path),
        headers: Vec::new(),
        hold,
        sequence: Vec::new(),
        message: None,
        voice: None,
        ping: None,
        largest_message: LARGEST_MESSAGE,
        close: Vec::new(),
    }
}

/// The scenario of a text without files.
fn parsed(text: &str) -> Scenario {
    let none = |_: &str| Err("no files".to_owned());
    parse(text, "test", &none).unwrap_or_else(|error| panic!("{error}"))
}

/// One journey of these steps; each is named by its number.
fn scenario(load: Load, actions: Vec<Action>) -> Scenario {
    let steps = actions.into_iter().enumerate().map(|(number, action)| Step {
        name: number.to_string(),
        once: false,
        weight: None,
        batch: None,
        host: None,
        action,
        think: None,
    });
    Scenario {
        name: "test".to_owned(),
        description: String::new(),
        load,
        iterations: None,
        setup: None,
        teardown: None,
        hosts: [].into(),
        journeys: vec![Journey {
            name: "user".to_owned(),
            weight: 1,
            think: Think::default(),
            cookies: false,
            headers: Vec::new(),
            steps: steps.collect(),
        }],
        thresholds: Vec::new(),
        timeout: Duration::from_secs(10),
        abort: None,
        inputs: Inputs::default(),
        part: Part::default(),
    }
}

fn rate(level: f64, duration: Duration) -> Load {
    Load::Open(Profile::constant(level, duration))
}

fn target(url: &str, protocol: Protocol, ca: Option<&str>) -> Target {
    let tls = TlsOptions {
        ca: ca.map(|pem| pem.as_bytes().to_vec()),
        insecure: false,
        identity: None,
    };
    Target::parse(url, protocol, &tls, Path::new("ca.pem")).unwrap()
}

fn begin(scenario: Scenario, target: &Target) -> Running {
    begin_with(scenario, target, Settings::default())
}

fn begin_with(scenario: Scenario, target: &Target, settings: Settings) -> Running {
    start(Arc::new(scenario), target, settings, clock()).unwrap()
}

/// The time axis of a run that begins soon. Waits for the turn of the test first: what a test measures from a
/// moment of its own begins after that.
fn clock() -> RunClock {
    support::turn::wait();
    RunClock::begins_in(LEAD)
}
