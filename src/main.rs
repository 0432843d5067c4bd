//! The `vas` binary: parse, run, exit.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // reqwest and kube share this provider; without it the first TLS client would panic.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    vas::cli::Cli::parse().run()
}
