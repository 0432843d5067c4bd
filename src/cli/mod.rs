//! The command line: one file per subcommand, each with a clap `Args` struct and a thin `run()`.
//!
//! Exit codes: 0 success, 1 failure or problems found, 2 usage error or invalid input (clap's own code too).

mod crd;
mod doctor;
mod explain;
mod import;
mod input;
mod kube_config;
mod leader_election;
mod log;
mod matchers;
mod metrics_server;
mod operator;
mod output;
mod render;
mod resume;
mod suspend;
mod suspension_args;
mod test;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit code for usage errors and for invalid input.
pub const EXIT_INVALID: u8 = 2;

/// One resource autoscales VoiceAssist on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "vas", version, arg_required_else_help = true, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Crd(crd::Args),
    Validate(validate::Args),
    Render(render::Args),
    Doctor(doctor::Args),
    Explain(Box<explain::Args>),
    Import(import::Args),
    Suspend(suspend::Args),
    Resume(resume::Args),
    Operator(Box<operator::Args>),
    MetricsServer(Box<metrics_server::Args>),
    Test(test::Args),
}

impl Cli {
    /// Runs the chosen subcommand to its end.
    pub fn run(self) -> ExitCode {
        match self.command {
            Command::Crd(args) => args.run(),
            Command::Validate(args) => args.run(),
            Command::Render(args) => args.run(),
            Command::Doctor(args) => args.run(),
            Command::Explain(args) => args.run(),
            Command::Import(args) => args.run(),
            Command::Suspend(args) => args.run(),
            Command::Resume(args) => args.run(),
            Command::Operator(args) => args.run(),
            Command::MetricsServer(args) => args.run(),
            Command::Test(args) => args.run(),
        }
    }
}
