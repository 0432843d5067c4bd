//! Reads the steps of a journey, among them those whose requests are sent at once.

use std::ops::RangeInclusive;

use super::{
    document::StepDocument,
    model::{Step, Think},
    problem::Problems,
    sources::File,
    step,
};

/// The fewest and the most requests that are sent at once.
const BATCH: RangeInclusive<usize> = 2..=16;

/// Reads the steps of a journey. A step with requests in parallel becomes as many steps.
pub(super) fn all(
    path: &str,
    documents: &[StepDocument],
    file: File<'_>,
    problems: &mut Problems,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if document.parallel.is_empty() {
            steps.push(step::parse(&path, document, file, problems));
        } else {
            steps.extend(parallel(&path, document, index, file, problems));
        }
    }
    steps
}

/// Reads the requests of one step that are sent at once.
fn parallel(
    path: &str,
    document: &StepDocument,
    batch: usize,
    file: File<'_>,
    problems: &mut Problems,
) -> Vec<Step> {
    let alone = StepDocument {
        once: document.once,
        think: document.think.clone(),
        parallel: document.parallel.clone(),
        ..StepDocument::default()
    };
    if *document != alone {
        problems.add(path, "must have no fields beside parallel but once and think");
    }
    let count = document.parallel.len();
    if !BATCH.contains(&count) {
        let (least, most) = (BATCH.start(), BATCH.end());
        problems.add(
            format!("{path}.parallel"),
            format!("must have {least} to {most} requests, and not {count}"),
        );
    }
    let think = document
        .think
        .as_deref()
        .map(|text| problems.or(&format!("{path}.think"), text.parse(), Think::default()));
    let mut steps = Vec::new();
    for (index, one) in document.parallel.iter().enumerate().take(*BATCH.end()) {
        let path = format!("{path}.parallel[{index}]");
        if one.once || one.weight.is_some() || one.think.is_some() {
            problems.add(
                &path,
                "must have neither once, weight nor think: the requests are sent together",
            );
        }
        if one.websocket.is_some() || !one.parallel.is_empty() {
            problems.add(&path, "must be a request");
            continue;
        }
        steps.push(Step {
            once: document.once,
            weight: None,
            batch: Some(batch),
            // Users pause after the last one, when all are over.
            think: if index + 1 == count {
                think
            } else {
                Some(Think::default())
            },
            ..step::parse(&path, one, file, problems)
        });
    }
    steps
}
