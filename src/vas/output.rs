//! Standard output of commands. Nothing else writes to it.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::{
    exit::{Code, CommandError},
    input::InputError,
    replaced_file::Content,
};

/// Format of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Documents separated by `---`.
    Yaml,
    /// One object, or a `v1` `List` of several.
    Json,
}

/// Reasons why nothing could be printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// Standard output cannot be written, for example because the disk is full.
    #[error("cannot write to standard output: {0}")]
    Write(#[from] io::Error),
    /// An object has no JSON form.
    #[error("cannot write an object as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// An object has no YAML form.
    #[error("cannot write an object as YAML: {0}")]
    Yaml(#[from] serde_saphyr::ser::Error),
}

impl CommandError for OutputError {
    fn code(&self) -> Code {
        Code::Failure
    }
}

/// Prints text. A closed pipe, as `| head` leaves, is no failure: the exit code still tells the outcome.
pub(crate) fn text(text: &str) -> Result<(), OutputError> {
    Ok(standard_output(&|out| out.write_all(text.as_bytes()))?)
}

/// Prints what `write` has written, all at once. Prints nothing where `write` fails.
pub(crate) fn written(
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), OutputError>,
) -> Result<(), OutputError> {
    let mut written = Vec::new();
    write(&mut written)?;
    text(&String::from_utf8_lossy(&written))
}

/// As [`text`], with the error of the operating system, for content that may be too long to be held.
pub(crate) fn standard_output(content: Content<'_>) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match content(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints objects. Each may have a comment, which only YAML shows.
pub(crate) fn documents(format: Format, objects: &[(Value, Option<String>)]) -> Result<(), OutputError> {
    let printed = match format {
        Format::Yaml => {
            let mut yaml = String::new();
            for (position, (object, comment)) in objects.iter().enumerate() {
                if position > 0 {
                    yaml.push_str("---\n");
                }
                for line in comment.iter().flat_map(|comment| comment.lines()) {
                    // Writing to a String cannot fail.
                    let _ = writeln!(yaml, "# {line}");
                }
                yaml.push_str(&serde_saphyr::to_string(object)?);
            }
            yaml
        }
        Format::Json => {
            let object = match objects {
                [(object, _)] => object.clone(),
                several => {
                    let items: Vec<_> = several.iter().map(|(object, _)| object).collect();
                    json!({"apiVersion": "v1", "kind": "List", "items": items})
                }
            };
            serde_json::to_string_pretty(&object)? + "\n"
        }
    };
    text(&printed)
}

/// Reasons why an offline command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OfflineError {
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

impl CommandError for OfflineError {
    fn code(&self) -> Code {
        match self {
            Self::Input(_) | Self::Invalid(_) => Code::Invalid,
            Self::Output(error) => error.code(),
        }
    }
}
