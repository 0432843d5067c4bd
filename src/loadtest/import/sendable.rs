//! Whether a scenario can have a step: the reader of scenarios is asked, so that both always agree.

use super::{MOST_BYTES, scenario::Step};
use crate::scenario::{document::StepDocument, step_problem};

/// Longest path, in bytes. HTTP libraries take URLs of 64 KiB, and the host is a part of them.
const LONGEST_PATH: usize = 65_000;

/// Takes the steps that a scenario can have, as long as there is room for their bodies.
#[derive(Debug)]
pub(super) struct Sendable {
    /// Bytes that further bodies may have.
    room: usize,
}

impl Default for Sendable {
    fn default() -> Self {
        Self { room: MOST_BYTES }
    }
}

impl Sendable {
    /// The step.
    ///
    /// # Errors
    /// Why a scenario cannot have it.
    pub(super) fn take(&mut self, step: Step) -> Result<Step, String> {
        let length = step.body.as_ref().map_or(0, String::len);
        self.room = self.room.checked_sub(length).ok_or_else(|| {
            format!(
                "the bodies before it and its own have more than {} MiB",
                MOST_BYTES >> 20
            )
        })?;
        let document = serde_json::to_value(&step).and_then(serde_json::from_value::<StepDocument>);
        let document = document.map_err(|error| error.to_string())?;
        if let Some(problem) = step_problem(&document) {
            let field = problem.path.trim_start_matches("step.");
            return Err(format!("{field}: {}", problem.rule));
        }
        if step.call.path().len() > LONGEST_PATH {
            return Err(format!("its path is longer than {LONGEST_PATH} bytes"));
        }
        Ok(step)
    }
}
