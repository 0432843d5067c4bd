//! The command line: one file per subcommand, each with a clap `Args` struct and a thin `run()`.
//!
//! Must not: decide anything. A command turns its arguments into the settings of another crate, calls that, and
//! prints what comes of it. [`exit`] has the exit codes.

mod completions;
mod crd;
mod destination;
mod doctor;
mod duration;
mod exit;
mod explain;
mod import;
mod init;
mod input;
mod kube_config;
mod leader_election;
mod loadtest;
mod log;
mod man;
mod matchers;
mod metrics_server;
mod monitoring;
mod operator;
mod output;
mod reference;
mod register;
mod render;
mod replaced_file;
mod runtime;
mod schedule;
mod simulate;
mod stderr;
mod suspension;
mod validate;
mod watch_namespace;

use std::process::ExitCode;

use clap::{Command as CommandLine, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

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
    Init(init::Args),
    Crd(crd::Args),
    Validate(validate::Args),
    Render(render::Args),
    Doctor(doctor::Args),
    Schedule(schedule::Args),
    Explain(Box<explain::Args>),
    Simulate(Box<simulate::Args>),
    Import(import::Args),
    Suspend(suspension::SuspendArgs),
    Resume(suspension::ResumeArgs),
    Register(register::Args),
    Unregister(register::UnregisterArgs),
    Operator(Box<operator::Args>),
    MetricsServer(Box<metrics_server::Args>),
    Monitoring(monitoring::Args),
    Test(loadtest::Args),
    Completions(completions::Args),
    Man(man::Args),
    #[command(hide = true)]
    Reference(reference::Args),
}

impl Command {
    fn run(&self) -> Ended {
        match self {
            Self::Init(args) => args.run(),
            Self::Crd(args) => args.run(),
            Self::Validate(args) => args.run(),
            Self::Render(args) => args.run(),
            Self::Doctor(args) => args.run(),
            Self::Schedule(args) => args.run(),
            Self::Explain(args) => args.run(),
            Self::Simulate(args) => args.run(),
            Self::Import(args) => args.run(),
            Self::Suspend(args) => args.run(),
            Self::Resume(args) => args.run(),
            Self::Register(args) => args.run(),
            Self::Unregister(args) => args.run(),
            Self::Operator(args) => args.run(),
            Self::MetricsServer(args) => args.run(),
            Self::Monitoring(args) => args.run(),
            Self::Test(args) => args.run(),
            Self::Completions(args) => args.run(),
            Self::Man(args) => args.run(),
            Self::Reference(args) => args.run(),
        }
    }
}

fn main() -> ExitCode {
    exit::end(with_tls().and_then(|()| given().command.run()))
}

/// The command line as it is described to completions, manual pages and the reference.
fn command() -> CommandLine {
    Cli::command()
}

/// What was asked for; usage errors and `--help` end the process. kubectl starts a program `kubectl-vas` as `kubectl vas`,
/// and then usage and help say that.
fn given() -> Cli {
    let plugin = std::env::args_os().next().is_some_and(|program| {
        let name = std::path::Path::new(&program).file_stem();
        name.is_some_and(|name| name == "kubectl-vas")
    });
    let command = if plugin {
        command().bin_name("kubectl vas")
    } else {
        command()
    };
    Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
}

/// Installs the TLS provider that reqwest and kube share. Without one the first TLS client would panic.
fn with_tls() -> Result<(), Failure> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| Failure::failed("cannot start: a TLS provider is installed already"))
}
