//! Parses the text of a scenario into the model. Reports everything that is wrong, each problem with its
//! field path.

use std::{collections::BTreeSet, time::Duration};

use super::{
    batch,
    document::{AbortDocument, Document, JourneyDocument},
    environment::Environment,
    hosts, inputs, load,
    model::{Abort, Action, Journey, Scenario, Think, Threshold},
    once, part,
    problem::{Problem, Problems},
    quick, schema,
    sources::File,
    step,
    websocket::Part,
};
use vas_core::document::yaml;

/// Why a scenario was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// The text is not YAML, or not a document of this form.
    #[error("{name}: {words}")]
    Form {
        /// Name of the scenario.
        name: String,
        /// What is wrong and where.
        words: String,
    },
    /// Fields have wrong values.
    #[error("{name}: {}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))]
    Fields {
        /// Name of the scenario.
        name: String,
        /// Every problem with the path of its field.
        problems: Vec<Problem>,
    },
}

/// Parses a scenario that takes nothing from the environment; see [`parse_in`].
///
/// # Errors
/// As [`parse_in`].
pub fn parse(text: &str, name: &str, file: File<'_>) -> Result<Scenario, ScenarioError> {
    parse_in(text, name, file, &|_| None)
}

/// Parses a scenario. `name` is usually the name of its file. `file` gives the files beside the scenario, and
/// `variable` the values of the environment.
///
/// # Errors
/// Everything that is wrong with the scenario.
pub fn parse_in(
    text: &str,
    name: &str,
    file: File<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Scenario, ScenarioError> {
    let form = |words: &str| ScenarioError::Form {
        name: name.to_owned(),
        words: words.lines().next().unwrap_or_default().to_owned(),
    };
    let value = yaml::parse_one(text).map_err(|error| form(&error.located()))?;
    // The schema finds all unknown fields and wrong types; serde would stop at the first one.
    let problems = schema::check(&value);
    if !problems.is_empty() {
        return Err(ScenarioError::Fields {
            name: name.to_owned(),
            problems,
        });
    }
    let document: Document = serde_json::from_value(value).map_err(|error| form(&error.to_string()))?;
    let mut problems = Problems::new(Environment::new(variable));
    let mut scenario = scenario(&document, name, file, &mut problems);
    match problems.into_result() {
        Ok((environment, secrets)) => {
            scenario.inputs.environment = environment;
            scenario.inputs.secrets = secrets;
            Ok(scenario)
        }
        Err(problems) => Err(ScenarioError::Fields {
            name: name.to_owned(),
            problems,
        }),
    }
}

fn scenario(document: &Document, name: &str, file: File<'_>, problems: &mut Problems) -> Scenario {
    let (load, iterations) = load::parse(document, file, problems);
    let mut inputs = inputs::read(document, file, problems);
    let has_columns = inputs.data.len() == document.data.len();
    let setup = once::setup(document.setup.as_ref(), &mut inputs, file, problems);
    let teardown = once::teardown(document.teardown.as_ref(), &inputs, file, problems);
    let hosts = hosts::read(&document.hosts, problems);
    let journeys = journeys(&document.journeys, file, problems);
    for (index, journey) in journeys.iter().enumerate() {
        hosts::named(&format!("journeys[{index}]"), journey, &document.hosts, problems);
    }
    for once in [&setup, &teardown].into_iter().flatten() {
        hosts::named(&once.name, once, &document.hosts, problems);
    }
    // Where a file has no columns, nothing more can be said about variables.
    if has_columns {
        for (index, journey) in journeys.iter().enumerate() {
            step::variables(&format!("journeys[{index}]"), journey, &inputs, problems);
        }
    }
    let thresholds = thresholds(&document.thresholds, &journeys, problems);
    let timeout = problems.positive("timeout", &document.timeout);
    waits(&journeys, timeout, problems);
    Scenario {
        name: name.to_owned(),
        description: document.description.clone(),
        load,
        iterations,
        thresholds,
        timeout,
        abort: Some(
            document
                .abort
                .as_ref()
                .map_or(quick::ABORT, |abort| self::abort(abort, problems)),
        ),
        setup,
        teardown,
        hosts,
        journeys,
        inputs,
        part: part::Part::default(),
    }
}

fn abort(document: &AbortDocument, problems: &mut Problems) -> Abort {
    let share = document
        .errors
        .strip_suffix('%')
        .and_then(|percent| percent.parse::<f64>().ok())
        .filter(|percent| (0.0..=100.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or("must be a share such as 50%");
    Abort {
        errors: problems.or("abort.errors", share, 1.0),
        over: problems.positive("abort.over", &document.over),
    }
}

fn thresholds(texts: &[String], journeys: &[Journey], problems: &mut Problems) -> Vec<Threshold> {
    let mut thresholds: Vec<Threshold> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let path = format!("thresholds[{index}]");
        match text.parse::<Threshold>() {
            Err(error) => problems.add(path, error),
            Ok(threshold) => {
                if let Err(misfit) = threshold.fits(journeys) {
                    problems.add(&path, misfit);
                }
                if thresholds.contains(&threshold) {
                    problems.add(&path, "is there twice");
                }
                thresholds.push(threshold);
            }
        }
    }
    thresholds
}

/// Refuses waits for a message that are longer than the scenario's timeout.
fn waits(journeys: &[Journey], timeout: Duration, problems: &mut Problems) {
    for (index, journey) in journeys.iter().enumerate() {
        for (step, field) in journey.steps.iter().zip(journey.fields()) {
            let Action::WebSocket(websocket) = &step.action else {
                continue;
            };
            for (part, model) in websocket.sequence.iter().enumerate() {
                if matches!(model, Part::Await(_, Some(within)) if *within > timeout) {
                    problems.add(
                        format!("journeys[{index}].{field}.websocket.sequence[{part}].within"),
                        "must not be longer than the scenario's timeout",
                    );
                }
            }
        }
    }
}

fn journeys(documents: &[JourneyDocument], file: File<'_>, problems: &mut Problems) -> Vec<Journey> {
    if documents.is_empty() {
        problems.add("journeys", "must have at least one");
    } else if documents.iter().all(|journey| journey.weight == 0) {
        problems.add("journeys", "must not all have weight 0");
    }
    let mut names = BTreeSet::new();
    let mut journeys = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let path = format!("journeys[{index}]");
        if !names.insert(document.name.as_str()) {
            problems.add(
                format!("{path}.name"),
                format!("{:?} is there twice; names are unique", document.name),
            );
        }
        if document.steps.is_empty() {
            problems.add(format!("{path}.steps"), "must have at least one");
        }
        if !document.steps.is_empty() && document.steps.iter().all(|step| step.once) {
            // With nothing to do in its second turn, a user would turn forever without a pause.
            problems.add(
                format!("{path}.steps"),
                "must not all be once: users have nothing to do in their second turn",
            );
        }
        let headers = step::headers(&format!("{path}.headers"), &document.headers, problems);
        let journey = Journey {
            name: document.name.clone(),
            weight: document.weight,
            think: document.think.as_deref().map_or_else(Think::default, |text| {
                problems.or(&format!("{path}.think"), text.parse(), Think::default())
            }),
            cookies: document.cookies,
            headers,
            steps: batch::all(&format!("{path}.steps"), &document.steps, file, problems),
        };
        step::names(&path, &journey, problems);
        step::weights(&path, &journey, problems);
        journeys.push(journey);
    }
    journeys
}

#[cfg(test)]
mod tests;
