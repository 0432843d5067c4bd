//! The scenario of a run without a file: one request, again and again.

use std::{collections::BTreeMap, time::Duration};

use super::{
    model::{Abort, Action, Journey, Load, Request, Scenario, Statuses, Step, Think, Threshold},
    rate::Profile,
    template::Template,
};

/// Longest wait for one answer unless an option says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// When a run is given up unless its scenario says otherwise: more than 90 % of the requests fail for ten
/// seconds.
pub(super) const ABORT: Abort = Abort {
    errors: 0.9,
    over: Duration::from_secs(10),
};

/// How much load a quick scenario brings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// Requests per second.
    Rate(f64),
    /// Users, each of whom sends the next request after an answer and a pause.
    Users(f64, Think),
}

/// One `GET` of the target: of the path and query in `--target` where it has some, of `/` otherwise.
pub fn scenario(level: Level, duration: Duration, has_path: bool, thresholds: Vec<Threshold>) -> Scenario {
    let (load, think) = match level {
        Level::Rate(rate) => (Load::Open(Profile::constant(rate, duration)), Think::default()),
        Level::Users(users, think) => (Load::Closed(Profile::constant(users, duration)), think),
    };
    let request = Request {
        method: "GET".to_owned(),
        path: Template::text(if has_path { "" } else { "/" }),
        headers: Vec::new(),
        body: None,
        expect: Statuses::Success,
        extract: BTreeMap::new(),
        checks: Vec::new(),
        follow: None,
    };
    Scenario {
        name: "quick".to_owned(),
        description: "one request, again and again".to_owned(),
        load,
        journeys: vec![Journey {
            name: "request".to_owned(),
            weight: 1,
            think,
            headers: Vec::new(),
            steps: vec![Step {
                name: "GET".to_owned(),
                once: false,
                action: Action::Request(request),
                think: None,
            }],
        }],
        thresholds,
        timeout: TIMEOUT,
        abort: Some(ABORT),
    }
}
