//! Whatever is imported parses as a scenario, and what is not in it is listed.

#![allow(clippy::needless_pass_by_value, reason = "tests pass json!(..) inline")]

mod har;
mod k6;
mod openapi;
mod postman;

use serde_json::Value;

use super::{ImportError, Imported, LeftOut, Variable, others::Others};
use crate::scenario::{
    self,
    model::{Action, Request, Scenario},
    payload::Payload,
};

/// The scenario as `vas test run` reads it, where the value of each variable that is asked for is its name.
fn parsed(imported: &Imported) -> Scenario {
    let text = serde_json::to_string(&imported.scenario).unwrap();
    let no_files = |_: &str| Err("no files here".to_owned());
    let asked = |name: &str| {
        let mut all = imported.variables.iter();
        all.any(|one| one.name == name).then(|| name.to_owned())
    };
    scenario::parse_in(&text, "imported", &no_files, &asked).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Each step as `name: METHOD path`.
fn steps(imported: &Imported) -> Vec<String> {
    let scenario = parsed(imported);
    let steps = scenario.journeys.iter().flat_map(|journey| &journey.steps);
    steps
        .map(|step| match &step.action {
            Action::Request(request) => {
                format!(
                    "{}: {} {}",
                    step.name,
                    request.method,
                    request.path.constant().unwrap()
                )
            }
            Action::WebSocket(_) => panic!("nothing imports a WebSocket"),
        })
        .collect()
}

/// The body of a request, which is a text without variables.
fn body(request: &Request) -> Option<&str> {
    match request.body.as_deref()? {
        [Payload::Text(text)] => text.constant(),
        other => panic!("{other:?}"),
    }
}

/// What was left out, one line each.
fn left_out(imported: &Imported) -> Vec<String> {
    let lines = imported.left_out.iter();
    lines
        .map(|LeftOut { part, why }| format!("{part}: {why}"))
        .collect()
}

/// The variables that a run needs, one line each.
fn variables(imported: &Imported) -> Vec<String> {
    let lines = imported.variables.iter();
    lines
        .map(|one| {
            let Variable {
                name,
                what,
                requests,
                values,
            } = one;
            format!("{name}: {what}; {requests} requests, {values} values")
        })
        .collect()
}

/// Headers of a step, one line.
fn headers(imported: &Imported, place: usize) -> String {
    let headers = imported.scenario.journeys[0].steps[place].headers.iter();
    let headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value}")).collect();
    headers.join(", ")
}

/// Other hosts, by name and URL.
fn others(hosts: &[(&str, &str)]) -> Result<Others, ImportError> {
    let hosts = hosts.iter();
    let hosts = hosts.map(|(name, url)| ((*name).to_owned(), url.parse().unwrap()));
    Others::of(&hosts.collect())
}

/// The host of each step; empty for the target.
fn hosts(imported: &Imported) -> Vec<String> {
    let scenario = parsed(imported);
    let steps = scenario.journeys.iter().flat_map(|journey| &journey.steps);
    steps.map(|step| step.host.clone().unwrap_or_default()).collect()
}

/// Whether one of the lines has all the words.
fn has(lines: &[String], words: &[&str]) -> bool {
    lines
        .iter()
        .any(|line| words.iter().all(|word| line.contains(word)))
}

#[test]
fn another_host_has_a_name_that_a_scenario_takes_and_no_path() {
    for (name, url, words) in [
        (
            "auth",
            "https://auth.example/v1",
            "--host auth: must be scheme, host and port alone",
        ),
        (
            "auth",
            "https://me:top-secret@auth.example",
            "--host auth: must be scheme, host and port alone",
        ),
        (
            "a-b",
            "https://auth.example",
            "hosts.a-b its name must have letters",
        ),
    ] {
        let error = others(&[(name, url)]).unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains("top-secret"), "{error}");
    }
    let names: Vec<String> = (0..17).map(|number| format!("h{number}")).collect();
    let many: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "http://a.example"))
        .collect();
    assert_eq!(
        others(&many).unwrap_err().to_string(),
        "--host: hosts must have 16 at most"
    );
}

#[test]
fn files_of_another_kind_are_refused_with_what_is_missing() {
    type Import = fn(&Value) -> Result<Imported, ImportError>;
    let all: [(Import, &str); 4] = [
        (
            |file| super::har::import(file, &Others::default()),
            "this is not a HAR file: log.entries",
        ),
        (
            super::openapi::import,
            "this is not an OpenAPI document: the field openapi",
        ),
        (
            |file| super::postman::import(file, &Others::default()),
            "this is not a Postman collection: the field item",
        ),
        (super::k6::import, "this is not the options of a k6 script"),
    ];
    for (import, words) in all {
        for value in [
            "{}",
            "[]",
            "null",
            "7",
            "{\"log\":{}}",
            "{\"item\":7}",
            "{\"paths\":{}}",
        ] {
            let error = import(&serde_json::from_str(value).unwrap()).unwrap_err();
            assert!(error.to_string().starts_with(words), "{value}: {error}");
        }
    }
}
