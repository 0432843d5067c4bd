//! Output of the offline commands: objects as YAML or JSON on standard output, errors on standard error.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{EXIT_INVALID, input::InputError};

/// Format of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Documents separated by `---`.
    Yaml,
    /// One object, or a `v1` `List` of several.
    Json,
}

/// Reasons why printing stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutputError {
    /// The reader closed the pipe, or the disk is full.
    #[error("cannot write to standard output: {0}")]
    Write(#[from] io::Error),
    /// An object has no JSON form.
    #[error("cannot write an object as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// An object has no YAML form.
    #[error("cannot write an object as YAML: {0}")]
    Yaml(#[from] serde_saphyr::ser::Error),
}

/// Prints text. A closed pipe, as `| head` leaves, is no failure.
pub(super) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints a line to standard error. A closed standard error is ignored.
pub(super) fn say(words: &str) {
    let _ = writeln!(io::stderr().lock(), "{words}");
}

/// Prints objects. Each may have a comment, which only YAML shows.
pub(super) fn documents(format: Format, objects: &[(Value, Option<String>)]) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    match format {
        Format::Yaml => {
            for (position, (object, comment)) in objects.iter().enumerate() {
                if position > 0 {
                    writeln!(out, "---")?;
                }
                for line in comment.iter().flat_map(|comment| comment.lines()) {
                    writeln!(out, "# {line}")?;
                }
                write!(out, "{}", serde_saphyr::to_string(object)?)?;
            }
        }
        Format::Json => {
            let object = match objects {
                [(object, _)] => object.clone(),
                several => {
                    let items: Vec<_> = several.iter().map(|(object, _)| object).collect();
                    json!({"apiVersion": "v1", "kind": "List", "items": items})
                }
            };
            writeln!(out, "{}", serde_json::to_string_pretty(&object)?)?;
        }
    }
    Ok(out.flush()?)
}

/// Reasons why an offline command ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum OfflineError {
    /// A file cannot be used.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A resource breaks rules. The text is what `vas validate` prints.
    #[error("{0}")]
    Invalid(String),
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl OfflineError {
    /// Prints the error and returns the exit code. A closed pipe, as `| head` leaves, is no failure.
    pub(super) fn report(&self) -> ExitCode {
        match self {
            Self::Output(OutputError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            error => complain(error),
        }
        match self {
            Self::Input(_) | Self::Invalid(_) => ExitCode::from(EXIT_INVALID),
            Self::Output(_) => ExitCode::FAILURE,
        }
    }
}

/// Prints an error with the prefix that all commands use.
pub(super) fn complain(error: &dyn std::fmt::Display) {
    // A closed standard error is ignored.
    let _ = writeln!(io::stderr().lock(), "error: {error}");
}
