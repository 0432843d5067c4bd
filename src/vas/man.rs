//! `vas man`: manual pages, from the description of the command line.

use std::{io, path::PathBuf};

use crate::{
    exit::{Code, CommandError, Ended},
    output::{self, OutputError},
};

/// Print the manual page of vas, or write those of all commands
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vas man | man -l -
  vas man --directory ~/.local/share/man/man1; man vas-doctor")]
pub(super) struct Args {
    /// Write a page for each command into this directory, which must exist
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

/// Reasons why there are no pages.
#[derive(Debug, thiserror::Error)]
enum ManError {
    #[error(
        "cannot write manual pages into {directory}: {source}; --directory names one that exists and may be written"
    )]
    Write { directory: String, source: io::Error },
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl CommandError for ManError {
    fn code(&self) -> Code {
        Code::Failure
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        self.pages()?;
        Ok(Code::Success)
    }

    fn pages(&self) -> Result<(), ManError> {
        let command = crate::command();
        if let Some(directory) = &self.directory {
            return clap_mangen::generate_to(command, directory).map_err(|source| ManError::Write {
                directory: directory.display().to_string(),
                source,
            });
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(OutputError::from)?;
        Ok(output::text(&String::from_utf8_lossy(&page))?)
    }
}
