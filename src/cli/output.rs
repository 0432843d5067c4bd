//! What the offline commands print: objects as YAML or JSON on standard output, errors on standard error.

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

/// Why nothing more was printed.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutputError {
    /// The reader went away or the disk is full.
    #[error("cannot write to standard output: {0}")]
    Write(#[from] io::Error),
    /// An object has no JSON form.
    #[error("cannot write an object as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// An object has no YAML form.
    #[error("cannot write an object as YAML: {0}")]
    Yaml(#[from] serde_saphyr::ser::Error),
}

/// Prints text. A reader that went away (`| head`) is no failure.
pub(super) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Says something on standard error. Nobody has to listen.
pub(super) fn say(words: &str) {
    let _ = writeln!(io::stderr().lock(), "{words}");
}

/// Prints objects, each with an optional comment that only YAML can carry.
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

/// Why an offline command ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum OfflineError {
    /// The files are at fault.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The resources in the files are at fault; the text is what `vas validate` says.
    #[error("{0}")]
    Invalid(String),
    /// The output is at fault.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl OfflineError {
    /// Says what is wrong and gives the exit code. A reader that went away (`| head`) is no failure.
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

/// Prints an error the way all commands do.
pub(super) fn complain(error: &dyn std::fmt::Display) {
    // Nobody is left to hear that standard error is closed.
    let _ = writeln!(io::stderr().lock(), "error: {error}");
}
