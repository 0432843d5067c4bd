//! How a command ends: with an exit code, and with an error on standard error where it failed.
//!
//! Every subcommand returns [`Ended`]; `main` alone turns it into the exit code of the process and prints the
//! error.

use std::{fmt, process::ExitCode};

use crate::stderr;

/// The exit codes of all commands, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Code {
    /// 0: done, and all is well.
    Success,
    /// 1: something failed, or there are problems.
    Failure,
    /// 2: a usage error, or invalid input; clap's own code too.
    Invalid,
    /// 4: a precondition of a test does not hold, so the test was not begun.
    Precondition,
    /// 99: a threshold, an assertion or `--min-grade` was missed.
    Missed,
    /// 3: the load generator, and not the service, caused the result, which therefore proves nothing.
    ProvesNothing,
    /// 130: a signal ended the test. The report covers what was run until then.
    Interrupted,
}

/// How a command ended.
pub(crate) type Ended = Result<Code, Failure>;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    /// The error to print; `None` where it was logged.
    words: Option<String>,
}

/// The error of one command, which knows the exit code of each of its variants.
pub(crate) trait CommandError: std::error::Error {
    /// The exit code.
    fn code(&self) -> Code;
}

impl<E: CommandError> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.code(), error)
    }
}

impl Failure {
    /// A command that ends with this code because of this error.
    pub(crate) fn new(code: Code, error: impl fmt::Display) -> Self {
        Self {
            code,
            words: Some(error.to_string()),
        }
    }

    /// A command that was used wrongly, or whose input is invalid.
    pub(crate) fn invalid(error: impl fmt::Display) -> Self {
        Self::new(Code::Invalid, error)
    }

    /// A command that failed.
    pub(crate) fn failed(error: impl fmt::Display) -> Self {
        Self::new(Code::Failure, error)
    }

    /// A command that ends with this code, and whose error is in its log.
    pub(crate) fn logged(code: Code) -> Self {
        Self { code, words: None }
    }
}

impl Code {
    fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Invalid => 2,
            Self::ProvesNothing => 3,
            Self::Precondition => 4,
            Self::Missed => 99,
            Self::Interrupted => 130,
        }
    }
}

/// Prints the error of a command that failed, and returns the exit code of the process.
pub(crate) fn end(ended: Ended) -> ExitCode {
    let code = ended.unwrap_or_else(|Failure { code, words }| {
        if let Some(words) = words {
            stderr::complain(&words);
        }
        code
    });
    ExitCode::from(code.number())
}
