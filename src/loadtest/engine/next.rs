//! How a user goes on after a step.

/// What a user does after a step: the next step, or, because the step failed, the next turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Step,
    Turn,
}
