//! Reads what is done once, before the load begins (`setup`) and after it has ended (`teardown`).
//!
//! Invariant: its steps are requests, each of which is sent. What is counted over the users of the load has no
//! value in them, so that no row or number of the load is used up.

use std::collections::BTreeMap;

use super::{
    document::OnceDocument,
    inputs::{Generator, Inputs},
    model::{Action, Journey, Think},
    problem::Problems,
    sources::File,
    step,
};

/// Reads the setup. What its steps extract is from then on among the inputs.
pub(super) fn setup(
    document: Option<&OnceDocument>,
    inputs: &mut Inputs,
    file: File<'_>,
    problems: &mut Problems,
) -> Option<Journey> {
    let journey = read("setup", document?, inputs, file, problems);
    for step in &journey.steps {
        if let Action::Request(request) = &step.action {
            inputs.shared.names.extend(request.extract.keys().cloned());
        }
    }
    Some(journey)
}

/// Reads the teardown, which has the variables of the setup.
pub(super) fn teardown(
    document: Option<&OnceDocument>,
    inputs: &Inputs,
    file: File<'_>,
    problems: &mut Problems,
) -> Option<Journey> {
    Some(read("teardown", document?, inputs, file, problems))
}

fn read(
    name: &str,
    document: &OnceDocument,
    inputs: &Inputs,
    file: File<'_>,
    problems: &mut Problems,
) -> Journey {
    if document.steps.is_empty() {
        problems.add(format!("{name}.steps"), "must have at least one");
    }
    let headers = step::headers(&format!("{name}.headers"), &document.headers, problems);
    let steps = document.steps.iter().enumerate();
    let steps = steps.map(|(index, document)| {
        let path = format!("{name}.steps[{index}]");
        if !document.parallel.is_empty() {
            problems.add(
                &path,
                "must not be parallel: the steps are done one after another",
            );
        }
        let step = step::parse(&path, document, file, problems);
        if step.once || step.weight.is_some() {
            problems.add(&path, "must have neither once nor weight: each step is done once");
        }
        if step.action.is_websocket() {
            problems.add(&path, "must be a request");
        }
        step
    });
    let journey = Journey {
        name: name.to_owned(),
        weight: 1,
        think: Think::default(),
        cookies: true,
        headers,
        steps: steps.collect(),
    };
    step::names(name, &journey, problems);
    step::variables(name, &journey, &uncounted(inputs), problems);
    journey
}

/// The inputs without those that are counted over the users of the load: rows and sequences.
fn uncounted(inputs: &Inputs) -> Inputs {
    let values = inputs.values.iter();
    let values = values.filter(|(_, generator)| !matches!(generator, Generator::Sequence(_)));
    Inputs {
        data: BTreeMap::new(),
        values: values
            .map(|(name, generator)| (name.clone(), *generator))
            .collect(),
        shared: inputs.shared.clone(),
        ..Inputs::default()
    }
}
