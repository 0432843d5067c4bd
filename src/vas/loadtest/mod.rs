//! `vas test`: one file per subcommand.
//!
//! ```text
//! load_args, scenario_args  flags that tests share     drive, progress  sends a load and says how far it is
//! outputs, destination      reports in files           metrics_listen   /metrics of a run
//! verdict                   exit codes
//! watch_args, watched       a workload, meanwhile      autoscaling_args, capacity_args  their flags
//! subject_args              which workload
//! run, autoscaling, capacity, restore, compare, merge, list             the subcommands
//! ```

mod autoscaling;
mod autoscaling_args;
mod capacity;
mod capacity_args;
mod compare;
mod destination;
mod drive;
mod list;
mod load_args;
mod merge;
mod metrics_listen;
mod outputs;
mod progress;
mod restore;
mod run;
mod scenario_args;
mod subject_args;
mod verdict;
mod watch_args;
mod watched;

use std::process::ExitCode;

use clap::Subcommand;

/// A threshold, an assertion or `--min-grade` was missed.
const EXIT_MISSED: u8 = 99;
/// The load generator, and not the service, caused the result.
const EXIT_PROVES_NOTHING: u8 = 3;
/// A precondition does not hold, so the test was not begun.
const EXIT_PRECONDITION: u8 = 4;
/// A signal ended the test. The report covers what was run until then.
const EXIT_INTERRUPTED: u8 = 130;

/// Send real load to a service, and say whether it held
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Args>),
    Compare(compare::Args),
    Merge(merge::Args),
    Autoscaling(Box<autoscaling::Args>),
    Capacity(Box<capacity::Args>),
    Restore(restore::Args),
    List(list::ListArgs),
    Show(list::ShowArgs),
    Schema(list::SchemaArgs),
}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        match &self.command {
            Command::Run(args) => args.run(),
            Command::Compare(args) => args.run(),
            Command::Merge(args) => args.run(),
            Command::Autoscaling(args) => args.run(),
            Command::Capacity(args) => args.run(),
            Command::Restore(args) => args.run(),
            Command::List(args) => args.run(),
            Command::Show(args) => args.run(),
            Command::Schema(args) => args.run(),
        }
    }
}
