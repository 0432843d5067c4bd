//! `make attack`: a user who may edit one namespace tries what vas forbids, and an innocent tenant is measured.
//!
//! ```text
//! stage      cluster, Prometheus, both servers as installed, the innocent tenant's workload
//! watch      the innocent tenant's view and the kubelet's: replicas, reads, polls, probes, memory   -> record
//! cost       what each process used of the processors, which all of them share
//! cage       the memory limits of the manifests, where this user may set them
//! attacker   resources, by the role `edit`; connections, as a neighbour pod; series, as a scrape target
//! verdict    the time of the attack compared with the quiet time before it; decides the exit code
//! ```
//!
//! All of it runs on this machine, which the attack slows down as well: other work beside it shows as latency, in what
//! the API server answers by itself too.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "as in the tests: an attack that cannot go on must stop, and it may look at the clock"
)]

mod attacker;
mod cage;
mod cost;
mod gateway;
mod innocent;
#[allow(dead_code, reason = "only the time of processors is of interest here")]
#[path = "../bench/procfs.rs"]
mod procfs;
mod record;
mod stage;
mod verdict;
mod watch;

use std::{process::ExitCode, time::Duration};

use clap::Parser;

use self::{attacker::Attacker, cost::Processes, record::Record, stage::Stage, watch::Watch};

/// Attack a running installation on a local cluster, and measure an innocent tenant meanwhile
#[derive(Clone, Copy, Debug, Parser)]
#[command(name = "make attack ARGS=\"...\"", bin_name = "make attack ARGS=\"...\"")]
struct Arguments {
    /// Seconds of the attack
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Seconds of quiet before it, to compare with
    #[arg(long, default_value_t = 60)]
    quiet: u64,
    /// One minute of attack after twenty seconds of quiet
    #[arg(long)]
    quick: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (quiet, attack) = if arguments.quick {
        (20, 60)
    } else {
        (arguments.quiet, arguments.seconds)
    };
    let stop = vas_cluster::shutdown::on_signal().expect("signal handlers can be installed");
    tokio::select! {
        unharmed = run(Duration::from_secs(quiet), Duration::from_secs(attack)) => {
            if unharmed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        () = stop.cancelled() => ExitCode::from(130),
    }
}

async fn run(quiet: Duration, attack: Duration) -> bool {
    let record = Record::default();
    let mut stage = Stage::set(&record).await;
    innocent::settle(&stage).await;
    let watch = Watch::start(&stage, &record);
    say(&format!("quiet for {} s", quiet.as_secs()));
    let processes = Processes::of(&stage);
    let begin = processes.look();
    record.begin();
    tokio::time::sleep(quiet).await;
    let quiet = processes.between(&begin, &processes.look());
    let attacker = Attacker::enter(&stage).await;
    say(&format!("attack for {} s", attack.as_secs()));
    let begin = processes.look();
    record.begin_attack();
    let attacks = attacker.begin(&stage);
    tokio::time::sleep(attack / 2).await;
    innocent::raise_load(&stage, &record);
    tokio::time::sleep(attack.saturating_sub(attack / 2)).await;
    record.end();
    let costs = [quiet, processes.between(&begin, &processes.look())];
    drop(watch);
    let outcomes = attacks.end();
    stage.assert_running();
    verdict::write(&record.take(), &costs, &outcomes, &stage)
}

fn say(words: &str) {
    eprintln!("{words}");
}
