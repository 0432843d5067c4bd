//! The exit code of a test.

use clap::ValueEnum;

use crate::exit::{Code, CommandError};
use vas_loadtest::{judge::Outcome, report::Letter, setup::SetupError};

/// The worst grade with which a test passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "verbatim")]
pub(super) enum MinGrade {
    /// 90 points or more.
    A,
    /// 75 points or more.
    B,
    /// 60 points or more.
    C,
}

impl From<MinGrade> for Letter {
    fn from(grade: MinGrade) -> Self {
        match grade {
            MinGrade::A => Self::A,
            MinGrade::B => Self::B,
            MinGrade::C => Self::C,
        }
    }
}

impl CommandError for SetupError {
    fn code(&self) -> Code {
        match self {
            Self::Failed(_) => Code::Precondition,
            Self::Interrupted => Code::Interrupted,
        }
    }
}

/// The exit code of an outcome, where `written` says whether all reports could be written. The outcome of the
/// test outweighs a report that could not be written.
pub(super) fn code(outcome: Outcome, written: bool) -> Code {
    match outcome {
        Outcome::Passed if written => Code::Success,
        Outcome::Passed => Code::Failure,
        Outcome::Missed => Code::Missed,
        Outcome::ProvesNothing => Code::ProvesNothing,
        Outcome::Interrupted => Code::Interrupted,
    }
}
