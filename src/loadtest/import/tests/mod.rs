//! Whatever is imported parses as a scenario, and what is not in it is listed.

#![allow(clippy::needless_pass_by_value, reason = "tests pass json!(..) inline")]

mod har;
mod k6;
mod openapi;
mod postman;

use serde_json::Value;

use super::{ImportError, Imported, LeftOut};
use crate::scenario::{
    self,
    model::{Action, Request, Scenario},
    payload::Payload,
};

/// The scenario as `vas test run` reads it.
fn parsed(imported: &Imported) -> Scenario {
    let text = serde_json::to_string(&imported.scenario).unwrap();
    let no_files = |_: &str| Err("no files here".to_owned());
    scenario::parse(&text, "imported", &no_files).unwrap_or_else(|error| panic!("{error}\n{text}"))
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

/// Whether one of the lines has all the words.
fn has(lines: &[String], words: &[&str]) -> bool {
    lines
        .iter()
        .any(|line| words.iter().all(|word| line.contains(word)))
}

#[test]
fn files_of_another_kind_are_refused_with_what_is_missing() {
    type Import = fn(&Value) -> Result<Imported, ImportError>;
    let all: [(Import, &str); 4] = [
        (super::har::import, "this is not a HAR file: log.entries"),
        (
            super::openapi::import,
            "this is not an OpenAPI document: the field openapi",
        ),
        (
            super::postman::import,
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
