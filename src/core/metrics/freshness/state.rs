//! What is remembered of a shape from one poll to the next.
//!
//! Invariant: a failed poll changes nothing about the last answer. Only the age of its samples ends its use.

use std::{collections::BTreeSet, sync::Arc};

use super::{Absence, Annotations, Coverage, Failure, Spacing, Vanished, vanished::LivePods};
use crate::metrics::promql::{Answer, Shape};

/// The state of a shape: the latest answer, the failure of the latest poll if it failed, and what five
/// observers learned from all answers so far. An answer is called clean when Prometheus sent it without
/// warnings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PollState {
    /// The latest clean answer. It is kept when later polls fail, and served until its samples are too old.
    pub answer: Option<Arc<Answer>>,
    /// Why the latest poll failed; `None` when it succeeded.
    pub failure: Option<Failure>,
    /// Which part of each rate's window has samples.
    pub coverage: Coverage,
    /// Since when each namespace has no series.
    pub absence: Absence,
    /// How far apart the samples behind a rate are.
    pub spacing: Spacing,
    /// Which exporters of a gauge have vanished.
    pub vanished: Vanished,
    /// The annotations that Prometheus sent with its answers.
    pub annotations: Annotations,
}

impl PollState {
    /// The namespaces of a new answer whose history must be requested before the answer is recorded.
    #[must_use]
    pub fn in_doubt(&self, shape: &Shape, answer: &Answer, needed: &BTreeSet<String>) -> BTreeSet<String> {
        shape.window.map_or_else(BTreeSet::new, |window| {
            self.coverage
                .in_doubt(window, self.failure.is_some(), answer, needed)
        })
    }

    /// Records the outcome of a poll. `pods` finds the pods that are live now. Returns true if the failure
    /// changed: it began, ended, or has another text.
    pub fn record(&mut self, shape: &Shape, outcome: Result<Answer, Failure>, pods: &LivePods<'_>) -> bool {
        let failure = match outcome {
            Ok(mut answer) => {
                // The observers compare the new answer with the one before it, so they come before it is
                // replaced. Coverage is the first: it corrects the values that the others and the HPA see.
                if let Some(window) = shape.window {
                    self.coverage.observe(window, self.failure.is_some(), &mut answer);
                    if let Some(before) = self.answer.as_deref() {
                        self.spacing.observe(before, &answer);
                    }
                }
                self.absence.observe(self.answer.as_deref(), &answer);
                self.vanished
                    .observe(self.answer.as_deref(), self.failure.is_some(), &mut answer, pods);
                self.annotations.observe(&answer);
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

/// Copies the points of namespaces that the new answer leaves out from the answer before it. They keep their
/// old request time, so that their age goes on growing.
fn carry_over(before: &Answer, answer: &mut Answer) {
    for (namespace, unanswered) in &mut answer.unanswered {
        if let Some(points) = before.points.get(namespace) {
            answer.points.insert(namespace.clone(), points.clone());
            unanswered.requested = before.requested_at(namespace);
        }
    }
}
