//! The command line: one file per subcommand, each with a clap `Args` struct and a thin `run()`.
//!
//! Must not: decide anything. A command turns its arguments into the settings of another crate, calls that, and
//! prints what comes of it. [`exit`] has the exit codes.

mod crd;
mod doctor;
mod duration;
mod exit;
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
mod register;
mod render;
mod runtime;
mod stderr;
mod suspension;
mod validate;
mod watch_namespace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::{Ended, Failure};

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
    Suspend(suspension::SuspendArgs),
    Resume(suspension::ResumeArgs),
    Register(register::Args),
    Unregister(register::UnregisterArgs),
    Operator(Box<operator::Args>),
    MetricsServer(Box<metrics_server::Args>),
    Test(loadtest::Args),
}

impl Command {
    fn run(&self) -> Ended {
        match self {
            Self::Crd(args) => args.run(),
            Self::Validate(args) => args.run(),
            Self::Render(args) => args.run(),
            Self::Doctor(args) => args.run(),
            Self::Explain(args) => args.run(),
            Self::Import(args) => args.run(),
            Self::Suspend(args) => args.run(),
            Self::Resume(args) => args.run(),
            Self::Register(args) => args.run(),
            Self::Unregister(args) => args.run(),
            Self::Operator(args) => args.run(),
            Self::MetricsServer(args) => args.run(),
            Self::Test(args) => args.run(),
        }
    }
}

fn main() -> ExitCode {
    exit::end(with_tls().and_then(|()| Cli::parse().command.run()))
}

/// Installs the TLS provider that reqwest and kube share. Without one the first TLS client would panic.
fn with_tls() -> Result<(), Failure> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| Failure::failed("cannot start: a TLS provider is installed already"))
}
