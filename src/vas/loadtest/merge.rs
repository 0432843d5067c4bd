//! `vas test merge`: merges the runs of several machines into one.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    outputs::{self, Output},
    verdict,
};
use crate::exit::{Code, CommandError, Ended};
use vas_loadtest::{
    files,
    judge::Outcome,
    merge::{MergeError, merge},
    report::json::{self, ReadError, Stored},
};

/// Merge the reports of runs that sent load at the same time
///
/// Counts are added and histograms merged without loss, so quantiles are those of all requests together. The
/// thresholds of all runs are judged anew. A doubt about one run is a doubt about all.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vas test run load --target https://staging.example -o json=a.json     on one machine
  vas test run load --target https://staging.example -o json=b.json     on another, at the same time
  vas test merge a.json b.json -o json=all.json -o junit=all.xml

Exit codes: 0 pass, 99 a threshold was missed, 2 a file cannot be used, 3 invalid,
1 a report cannot be written where the verdict was a pass.")]
pub(super) struct Args {
    /// JSON reports of `vas test run`
    #[arg(value_name = "FILE", required = true, num_args = 2..)]
    files: Vec<PathBuf>,
    /// Write a report: html=FILE (one page), json=FILE, junit=FILE, md=FILE, hgrm=FILE; may be given several
    /// times. - is standard output, and the text for people goes to standard error then
    #[arg(short, long = "output", value_name = "FORMAT=FILE")]
    outputs: Vec<Output>,
}

/// Reasons why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// The file cannot be read.
    #[error("{}: {source}", .file.display())]
    File {
        /// Name of the file.
        file: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file does not contain a report.
    #[error("{}: {source}", .file.display())]
    Report {
        /// Name of the file.
        file: PathBuf,
        /// What is wrong with its text.
        source: ReadError,
    },
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{} has what {} has too: each run counts once; leave one of them out", .again.display(), .first.display())]
    Twice { first: PathBuf, again: PathBuf },
    #[error(transparent)]
    Merge(MergeError),
}

impl CommandError for FileError {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

impl CommandError for Error {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        outputs::try_all(&self.outputs)?;
        let runs: Vec<Stored> = self
            .files
            .iter()
            .map(|file| read(file))
            .collect::<Result<_, _>>()?;
        let report = merge(runs).map_err(|error| self.named(error))?;
        let written = outputs::publish(&report, &self.outputs);
        Ok(verdict::code(Outcome::from(report.verdict), written))
    }

    /// The error with names of files instead of numbers of runs.
    fn named(&self, error: MergeError) -> Error {
        let file = |number: usize| {
            number
                .checked_sub(1)
                .and_then(|index| self.files.get(index))
                .cloned()
        };
        match error {
            MergeError::Twice(first, again) => match (file(first), file(again)) {
                (Some(first), Some(again)) => Error::Twice { first, again },
                _ => Error::Merge(error),
            },
            error => Error::Merge(error),
        }
    }
}

/// Reads the run of a JSON report.
///
/// # Errors
/// When the file cannot be read, or does not contain a report.
pub(super) fn read(file: &Path) -> Result<Stored, FileError> {
    let text = files::read_text(file).map_err(|source| FileError::File {
        file: file.to_owned(),
        source,
    })?;
    json::read(&text).map_err(|source| FileError::Report {
        file: file.to_owned(),
        source,
    })
}
