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
mod loadtest;
mod log;
mod matchers;
mod metrics_server;
mod operator;
mod output;
mod render;
mod resume;
mod suspend;
mod suspension_args;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit code for usage errors and for invalid input.
pub(crate) const EXIT_INVALID: u8 = 2;

/// One resource autoscales VoiceAssist on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "vas", version, arg_required_else_help = true, max_term_width = 110)]
struct Cli {
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
    Test(loadtest::Args),
}

impl Cli {
    /// Runs the chosen subcommand to its end.
    fn run(self) -> ExitCode {
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

fn main() -> ExitCode {
    // reqwest and kube share this provider; without it the first TLS client would panic.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    Cli::parse().run()
}
