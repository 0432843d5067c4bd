//! `vas metrics-server`.

use std::process::ExitCode;

/// To be written.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        ExitCode::FAILURE
    }
}
