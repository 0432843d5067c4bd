//! `vas monitoring dashboards`: the boards for Grafana, on standard output or as files in a folder.

use std::{
    io,
    path::{Path, PathBuf},
};

use clap::ValueEnum;

use crate::{
    exit::{Code, CommandError},
    output::{self, OutputError},
    replaced_file,
};
use vas_core::monitoring::dashboards::files::{self, Form};

/// Print the boards for Grafana 10 to 13: load tests, autoscaling, and system performance
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vas monitoring dashboards -o boards                        a file for each board, for Grafana's provisioning
  vas monitoring dashboards --format grafana-com -o boards   the same for imports by hand, which ask for the data source")]
pub(super) struct Args {
    /// Form of the boards
    #[arg(long, value_enum, default_value_t = Format::Provisioned)]
    format: Format,
    /// Folder for the files, one for each board, which is made if it is not there; without it all are printed
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As Grafana's provisioning reads them; the data source is a variable of the board.
    Provisioned,
    /// As grafana.com and Grafana's import take them: the import asks for the data source.
    GrafanaCom,
}

/// Reasons why boards cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum DashboardsError {
    /// The folder cannot be made.
    #[error("-o {}: the folder cannot be made: {source}", folder.display())]
    Folder {
        /// The folder as it was given.
        folder: PathBuf,
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write the board to {}: {source}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        source: io::Error,
    },
    /// Standard output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl CommandError for DashboardsError {
    fn code(&self) -> Code {
        Code::Failure
    }
}

impl Args {
    pub(super) fn run(&self) -> Result<(), DashboardsError> {
        let form = match self.format {
            Format::Provisioned => Form::Provisioned,
            Format::GrafanaCom => Form::GrafanaCom,
        };
        let files = files::files(form);
        if let Some(folder) = &self.output {
            return write(folder, &files);
        }
        let texts: String = files.into_iter().map(|file| file.text).collect();
        Ok(output::text(&texts)?)
    }
}

fn write(folder: &Path, files: &[files::File]) -> Result<(), DashboardsError> {
    std::fs::create_dir_all(folder).map_err(|source| DashboardsError::Folder {
        folder: folder.to_owned(),
        source,
    })?;
    for board in files {
        let file = folder.join(&board.name);
        replaced_file::write(&file, &board.text).map_err(|source| DashboardsError::Write { file, source })?;
    }
    Ok(())
}
