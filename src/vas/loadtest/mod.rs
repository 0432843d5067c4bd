//! `vas test`: one file per subcommand, and the flags that they share. What a test does is in `vas_loadtest`.
//!
//! ```text
//! run, autoscaling, capacity, restore, compare, merge, list, import     the subcommands
//! load_args, scenario_args, subject_args, watch_args, request_args      flags that tests share
//! route_args, web_args                                                  how connections are made, the live page
//! in_cluster, worker, parcel                                            a load from pods: here, there, what goes there
//! autoscaling_args, capacity_args                                       flags of one test
//! masked_url             URLs with credentials
//! outputs, destination   reports in files         progress   how far a load is, on standard error
//! verdict                exit codes
//! ```

mod autoscaling;
mod autoscaling_args;
mod capacity;
mod capacity_args;
mod compare;
mod import;
mod in_cluster;
mod list;
mod load_args;
mod masked_url;
mod merge;
mod named_url;
mod outputs;
mod parcel;
mod progress;
mod request_args;
mod restore;
mod route_args;
mod run;
mod scenario_args;
mod subject_args;
mod verdict;
mod watch_args;
mod web_args;
mod worker;

use clap::Subcommand;

use crate::exit::Ended;

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
    #[command(hide = true)]
    Worker(worker::Args),
    List(list::ListArgs),
    Show(list::ShowArgs),
    Schema(list::SchemaArgs),
    Import(import::Args),
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        match &self.command {
            Command::Run(args) => args.run(),
            Command::Compare(args) => args.run(),
            Command::Merge(args) => args.run(),
            Command::Autoscaling(args) => args.run(),
            Command::Capacity(args) => args.run(),
            Command::Restore(args) => args.run(),
            Command::Worker(args) => args.run(),
            Command::List(args) => args.run(),
            Command::Show(args) => args.run(),
            Command::Schema(args) => args.run(),
            Command::Import(args) => args.run(),
        }
    }
}
