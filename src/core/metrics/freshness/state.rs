//! What is known of a shape from one poll to the next.

use std::{collections::BTreeSet, sync::Arc};

use super::{Absence, Coverage, Failure, Remarks, Spacing, Vanished, vanished::LivePods};
use crate::core::metrics::promql::{Answer, Shape};

/// What is known of a shape: the latest clean answer, and the failure of the latest poll if it failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PollState {
    /// Kept when later polls fail: it is served until its samples are too old.
    pub answer: Option<Arc<Answer>>,
    /// `None` once a poll is clean.
    pub failure: Option<Failure>,
    /// Which part of the windows of rates has samples.
    pub coverage: Coverage,
    /// Since when there are no series.
    pub absence: Absence,
    /// How far apart the samples behind a rate are.
    pub spacing: Spacing,
    /// Which exporters of a gauge have vanished.
    pub vanished: Vanished,
    /// What Prometheus remarked on the query.
    pub remarks: Remarks,
}

impl PollState {
    /// The namespaces of a new answer whose history must be asked for before it is recorded.
    #[must_use]
    pub fn in_doubt(&self, shape: &Shape, answer: &Answer, needed: &BTreeSet<String>) -> BTreeSet<String> {
        shape.window.map_or_else(BTreeSet::new, |window| {
            self.coverage
                .in_doubt(window, self.failure.is_some(), answer, needed)
        })
    }

    /// Takes in the outcome of a poll. A failure keeps the last answer: its age decides how long it is
    /// served. `pods` are those that are live now. True if what is wrong changed.
    pub fn record(&mut self, shape: &Shape, outcome: Result<Answer, Failure>, pods: &LivePods<'_>) -> bool {
        let failure = match outcome {
            Ok(mut answer) => {
                if let Some(window) = shape.window {
                    self.coverage.observe(window, self.failure.is_some(), &mut answer);
                    if let Some(before) = self.answer.as_deref() {
                        self.spacing.observe(before, &answer);
                    }
                }
                self.absence.observe(self.answer.as_deref(), &answer);
                self.vanished
                    .observe(self.answer.as_deref(), self.failure.is_some(), &mut answer, pods);
                self.remarks.observe(&answer);
                if let Some(before) = self.answer.as_deref() {
                    carry_over(before, &mut answer);
                }
                self.answer = Some(Arc::new(answer));
                None
            }
            Err(failure) => {
                self.absence.interrupt();
                Some(failure)
            }
        };
        let changed = self.failure != failure;
        self.failure = failure;
        changed
    }
}

/// Keeps what was known of the namespaces that the new answer leaves out, as old as it is.
fn carry_over(before: &Answer, answer: &mut Answer) {
    for (namespace, unanswered) in &mut answer.unanswered {
        if let Some(points) = before.points.get(namespace) {
            answer.points.insert(namespace.clone(), points.clone());
            unanswered.asked = before.asked_for(namespace);
        }
    }
}
