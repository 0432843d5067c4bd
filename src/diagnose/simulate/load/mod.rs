//! Reads a load: values over time as CSV or JSONL, what a run of `vas test` sent, or a series of Prometheus.
//!
//! ```text
//! csv    time,value             lines    lines of bounded length, counted
//! jsonl  {"time":...,"value":...}        time     the forms of a time
//! run    the JSON report of a run        past     from Prometheus
//! ```
//!
//! Invariant: memory is bounded by the values that a load may have, whatever the file holds, and an error names the
//! line. Must not: open files.

mod csv;
mod jsonl;
mod lines;
mod past;
mod run;
#[cfg(test)]
mod tests;
mod time;

use std::io::{self, BufRead};

pub use past::{Past, PastError};
pub use time::read as read_time;

use vas_core::replay::{Load, LoadError};

/// Why a file is no load.
#[derive(Debug, thiserror::Error)]
pub enum LoadFileError {
    /// The file cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// A line is wrong.
    #[error("line {line}: {why}")]
    Line {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// All of it is no load.
    #[error("{0}")]
    Load(#[from] LoadError),
    /// The file begins like none of the forms.
    #[error(
        "line 1: {0:?} begins none of the known forms: the header time,value of CSV, an object such as {{\"time\":\"2026-03-01T10:00:00Z\",\"value\":12.5}} of JSONL, or the JSON report of a run (vas test run -o json=FILE)"
    )]
    Form(String),
    /// It is a report, but cannot be used.
    #[error("{0}")]
    Run(String),
}

/// Reads a load. Its first line tells the form.
///
/// # Errors
/// When the file cannot be read, or is no load.
pub fn read(mut file: impl BufRead) -> Result<Load, LoadFileError> {
    let beginning = file.fill_buf()?;
    // A JSON object over several lines is a report, one in a line is JSONL; a report may be in one line too.
    let first = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(first);
    let text = text.trim_start_matches('\u{feff}').trim();
    if csv::is_header(text) {
        csv::read(file)
    } else if jsonl::begins(text) {
        jsonl::read(file)
    } else if text.starts_with('{') {
        run::read(file)
    } else {
        let shown = text.chars().take(40).filter(|char| !char.is_control()).collect();
        Err(LoadFileError::Form(shown))
    }
}

/// An error of one line.
fn wrong(line: u64, why: &(impl ToString + ?Sized)) -> LoadFileError {
    LoadFileError::Line {
        line,
        why: why.to_string(),
    }
}
