//! `make bench-load`: the load engine of `vas test` beside other load generators, on one machine, in one run.
//!
//! ```text
//! server    answers at once and remembers when each request came    send     vas's load engine as a process
//! tools     the generators and their command lines                  cost     what a process used
//! schedule  how far arrivals were from their schedule                sample   one run, and medians of several
//! section   medians -> docs/benchmarks.md
//! ```
//!
//! Every figure is taken outside the generators, in the same way for all: arrivals at the server, CPU time
//! and memory from the kernel. Reports of the generators are not read.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "as in the tests: a benchmark that cannot go on must stop, and it looks at the clock"
)]

mod cost;
#[path = "../report/section.rs"]
mod marked;
mod sample;
mod schedule;
mod section;
mod send;
mod server;
#[path = "../report/table.rs"]
mod table;
mod tools;

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};

use self::{
    sample::{Sample, Samples},
    tools::{Mode, Tool},
};

/// Compare the load engine of vas test with other load generators
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Two short runs each, for a first impression
    #[arg(long)]
    quick: bool,
    /// Seconds of each run; the first second is not judged. Default: 8, or 4 with --quick
    #[arg(long, value_parser = clap::value_parser!(u64).range(2..=600))]
    duration: Option<u64>,
    /// Runs of each generator. Default: 5, or 2 with --quick
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: Option<u32>,
    /// Connections of each generator
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    connections: u32,
    /// Where the section is written
    #[arg(long, default_value = "docs/benchmarks.md")]
    report: PathBuf,
}

/// Programs of this crate that run as processes of their own, so that their costs can be told apart.
#[derive(Debug, Subcommand)]
enum Part {
    /// The server that answers the requests
    #[command(hide = true)]
    Serve,
    /// vas's load engine
    #[command(hide = true)]
    Send(send::Args),
}

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    match &arguments.part {
        Some(Part::Serve) => server::serve().await,
        Some(Part::Send(args)) => send::send(args).await,
        None => {
            let stop = vas_cluster::shutdown::on_signal().expect("signal handlers can be installed");
            tokio::select! {
                () = compare(&arguments) => {}
                // Processes that run end when their handles are dropped.
                () = stop.cancelled() => eprintln!("bench-load: stopped; nothing is written"),
            }
        }
    }
}

async fn compare(arguments: &Arguments) {
    let seconds = arguments.duration.unwrap_or(if arguments.quick { 4 } else { 8 });
    let repeats = arguments.repeats.unwrap_or(if arguments.quick { 2 } else { 5 });
    let duration = Duration::from_secs(seconds);
    let (tools, absent): (Vec<Tool>, Vec<Tool>) = Tool::ALL.into_iter().partition(|tool| tool.is_there());
    // Only who compares two builds asks for the other one.
    let absent: Vec<Tool> = absent
        .into_iter()
        .filter(|tool| *tool != Tool::VasOther)
        .collect();
    for tool in &absent {
        eprintln!("bench-load: {} is left out: {}", tool.name(), tool.how_to_get());
    }
    // A document without a place for the section should be noticed before everything is measured.
    if let Err(error) = marked::check(&arguments.report, marked::FRAME, section::NAME) {
        panic!("{error}");
    }
    let server = server::Server::start().await;
    let mut samples = Samples::default();
    for turn in 1..=repeats {
        for mode in Mode::ALL {
            for tool in &tools {
                let Some(command) = tool.command(mode, &server.url(), arguments.connections, duration) else {
                    continue;
                };
                // Drops what came before, such as the last requests of the previous run.
                server.arrivals().await;
                let cost = cost::run(command, 3 * duration + Duration::from_secs(30)).await;
                let arrivals = server.arrivals().await;
                let sample = cost.and_then(|cost| {
                    Sample::of(mode, arrivals, cost).ok_or_else(|| "too few requests came".to_owned())
                });
                let what = format!("{turn}/{repeats} {}, {}", mode.name(), tool.name());
                match sample {
                    Ok(sample) => {
                        eprintln!("bench-load: {what}: {sample}");
                        samples.add(mode, *tool, sample);
                    }
                    Err(why) => eprintln!("bench-load: {what}: left out: {why}"),
                }
            }
        }
    }
    let setting = section::Setting {
        seconds,
        repeats,
        connections: arguments.connections,
        absent,
    };
    let text = section::text(&samples, &setting);
    if let Err(error) = marked::write(&arguments.report, marked::FRAME, section::NAME, &text) {
        panic!("{error}");
    }
    eprintln!("bench-load: written to {}", arguments.report.display());
}
