//! `make bench`: vas metrics-server beside other adapters, on one machine, in one run.
//!
//! ```text
//! world     control plane, Prometheus, workloads' series     workload   one workload: objects and URLs
//! adapters  the servers, one running at a time               keda       what KEDA needs
//! fixed_bytes, exporter   programs of our own                certificate, versions   of all servers
//! load      open and closed loops, latencies                 procfs     CPU time and memory
//! measure   stretches of load -> points                      pattern    the HPA's own pattern
//! report    points and patterns -> docs/benchmarks.md        aims       which aims are met
//! ```
//!
//! Everything that it starts ends with it. It ends by Ctrl-C, when a step takes too long, or at its deadline.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "as in the tests: a benchmark that cannot go on must stop, and it looks at the clock"
)]

mod adapters;
mod aims;
mod arguments;
mod exporter;
mod fixed_bytes;
mod keda;
mod load;
mod measure;
mod pattern;
mod procfs;
mod report;
mod versions;
mod workload;
mod world;

use std::{path::Path, process::ExitCode, sync::OnceLock, time::Duration, time::Instant};

use clap::Parser as _;

use self::{
    adapters::Adapter,
    arguments::{Arguments, Peer},
    measure::Bench,
    report::Report,
    world::World,
};

#[tokio::main]
async fn main() -> ExitCode {
    support::install_tls_provider();
    let given: Vec<String> = std::env::args().collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    // These run as processes of their own, so that their cost does not count as that of this process.
    match given.as_slice() {
        [_, "fixed-bytes", port, chain, key] => {
            fixed_bytes::serve(port.parse().expect("a port"), Path::new(chain), Path::new(key)).await;
            return ExitCode::SUCCESS;
        }
        [_, "exporter", port, first, end] => {
            let number = |text: &str| text.parse().expect("a number");
            exporter::serve(port.parse().expect("a port"), number(first)..number(end)).await;
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let arguments = Arguments::parse().resolved();
    let deadline = Duration::from_secs(60 * arguments.deadline);
    let stop = vas_cluster::shutdown::on_signal().expect("signal handlers can be installed");
    tokio::select! {
        () = run(arguments) => ExitCode::SUCCESS,
        () = stop.cancelled() => {
            say("stopped");
            ExitCode::from(130)
        }
        () = tokio::time::sleep(deadline) => {
            say(&format!("not done within {} minutes (--deadline)", deadline.as_secs() / 60));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) {
    let mut report = Report::begin(&arguments);
    let mut world = World::start(&arguments).await;
    world.grow(arguments.workloads).await;
    let adapters = start(&world, &arguments, &mut report);
    let mut bench = Bench::prepare(&world, &arguments, adapters).await;
    for way in &arguments.ways {
        report.points.extend(bench.points(*way).await);
    }
    report.sizes = bench.sizes().to_vec();
    report
        .patterns
        .extend(pattern::play(&bench, &arguments, arguments.workloads, 0).await);
    let path = support::cluster::root().join(arguments.report());
    report.write(&path);

    let adapters = std::mem::take(&mut bench.adapters);
    drop(bench);
    for adapter in &adapters {
        adapter.run(true);
    }
    world.grow(arguments.many_workloads).await;
    world.add_foreign_pods(arguments.foreign_pods).await;
    let many = Arguments {
        workloads: arguments.many_workloads,
        ..arguments.clone()
    };
    let bench = Bench::prepare(&world, &many, adapters).await;
    report
        .patterns
        .extend(pattern::play(&bench, &many, many.workloads, many.foreign_pods).await);
    report.complete = true;
    say("counting instructions");
    report.write(&path);
    say(&format!("written to {}", path.display()));
}

/// Starts vas, the installed peers, and the server of fixed bytes.
fn start(world: &World, arguments: &Arguments, report: &mut Report) -> Vec<Adapter> {
    let mut adapters = vec![Adapter::vas(world)];
    for peer in &arguments.peers {
        match adapters::absent(*peer) {
            Some(why) if why.is_empty() => {}
            Some(why) => {
                say(&why);
                report.absent.push(why);
            }
            None => adapters.push(match peer {
                Peer::PrometheusAdapter => Adapter::prometheus_adapter(world),
                Peer::Keda => Adapter::keda(world),
                Peer::None => unreachable!("it is never there"),
            }),
        }
    }
    adapters.push(Adapter::fixed(world));
    adapters
}

/// Prints the current step, with the time since the start.
pub fn say(what: &str) {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    eprintln!("bench {:5.1} s  {what}", start.elapsed().as_secs_f64());
}
