//! `make bench-operator`: measures what resources cost the operator, and what the operator costs the API
//! server.
//!
//! ```text
//! world     control plane without controllers, Deployments, resources    run      one operator, and what it did
//! section   figures -> docs/benchmarks.md
//! ```
//!
//! The number of resources grows in steps. At each step the new resources are applied under a running
//! operator. Then the operator is started again with nothing to do: for the whole cluster, and for the one
//! namespace that holds everything. At the last step it is started beside as many Deployments that are no
//! targets, and left alone for ten minutes. This program also measures raw server-side apply of the same
//! children, in the same run. The API server's audit log counts the requests.

#![allow(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "as in the tests: a benchmark that cannot go on must stop, and it looks at the clock"
)]

#[path = "../circumstances.rs"]
mod circumstances;
#[path = "../report/section.rs"]
mod marked;
#[allow(dead_code, reason = "only some figures of one process are of interest here")]
#[path = "../procfs.rs"]
mod procfs;
mod run;
mod section;
#[path = "../report/table.rs"]
mod table;
mod world;

use std::{path::PathBuf, time::Duration};

use clap::Parser;

use self::{
    run::{Run, Scope},
    section::{Figures, Quiet, Restart, Step},
    world::World,
};

/// Measure what resources cost the operator and the API server
#[derive(Debug, Parser)]
struct Arguments {
    /// 100 and 1,000 resources alone, for a first impression; writes nothing unless --report is given
    #[arg(long)]
    quick: bool,
    /// Numbers of resources, growing. Default: 100, 1000, 5000 and 10000, or the first two with --quick
    #[arg(long, value_delimiter = ',')]
    sizes: Vec<usize>,
    /// Seconds in which an operator that has nothing to do is watched. Default: 600, or 30 with --quick
    #[arg(long)]
    quiet: Option<u64>,
    /// Where the section is written. Default: docs/benchmarks.md, or nowhere with --quick
    #[arg(long)]
    report: Option<PathBuf>,
}

impl Arguments {
    fn sizes(&self) -> Vec<usize> {
        match (self.sizes.is_empty(), self.quick) {
            (false, _) => self.sizes.clone(),
            (true, true) => vec![100, 1000],
            (true, false) => vec![100, 1000, 5000, 10_000],
        }
    }

    fn quiet(&self) -> Duration {
        let usual = if self.quick { 30 } else { 600 };
        Duration::from_secs(self.quiet.unwrap_or(usual))
    }

    fn report(&self) -> Option<PathBuf> {
        let usual = (!self.quick).then(|| PathBuf::from("docs/benchmarks.md"));
        self.report.clone().or(usual)
    }
}

fn say(text: &str) {
    eprintln!("bench-operator: {text}");
}

#[tokio::main]
async fn main() {
    support::install_tls_provider();
    let arguments = Arguments::parse();
    if let Some(report) = &arguments.report() {
        marked::check(report, marked::FRAME, section::NAME).expect("the report can be written");
    }
    let sizes = arguments.sizes();
    let world = World::start().await;
    let mut figures = Figures {
        circumstances: circumstances::now(),
        steps: Vec::new(),
        raw: None,
        quiet: None,
    };
    for (number, size) in sizes.iter().enumerate() {
        let last = number + 1 == sizes.len();
        figures
            .steps
            .push(step(&world, *size, last, &mut figures.raw).await);
    }
    figures.quiet = Some(quiet(&world, arguments.quiet()).await);
    let text = section::text(&figures);
    println!("{text}");
    if let Some(report) = arguments.report() {
        marked::write(&report, marked::FRAME, section::NAME, &text).expect("the report is written");
        say(&format!("wrote {}", report.display()));
    }
}

/// Grows the cluster to `size` resources under a running operator, then starts the operator again.
async fn step(world: &World, size: usize, last: bool, raw: &mut Option<f64>) -> Step {
    let before = world.resources();
    say(&format!("{size} resources: Deployments"));
    world.deployments("w", before..size).await;
    let run = Run::start(world, Scope::All).await;
    run.settle(before).await;
    say(&format!("{size} resources: new ones under a running operator"));
    let since = jiff::Timestamp::now();
    let events = run.count("vas_operator_events_total").await;
    let began = std::time::Instant::now();
    world.add_resources(size).await;
    let new = size - before;
    run.until("vas_operator_events_total", events + new as u64).await;
    let created = began.elapsed();
    run.settle(0).await;
    let requests = world.requests(since);
    let after_creation = run.memory();
    drop(run);
    if raw.is_none() && (new >= 900 || last) {
        say("raw server-side apply of the same children");
        *raw = Some(world.raw_apply(new.min(1000)).await);
    }
    let mut restarts = vec![restart(world, "all namespaces", Scope::All, size).await];
    restarts.push(restart(world, "--watch-namespace", Scope::Namespace, size).await);
    if last {
        say(&format!("{size} Deployments that are nobody's target"));
        world.deployments("foreign", 0..size).await;
        let what = "beside as many foreign Deployments";
        restarts.push(restart(world, what, Scope::All, size).await);
    }
    Step {
        size,
        new,
        created,
        requests,
        after_creation,
        restarts,
    }
}

async fn restart(world: &World, what: &str, scope: Scope, size: usize) -> Restart {
    say(&format!("{size} resources: a restart, {what}"));
    let since = jiff::Timestamp::now();
    let run = Run::start(world, scope).await;
    let took = run.settle(size).await;
    Restart {
        what: what.to_owned(),
        took,
        requests: world.requests(since),
        memory: run.memory(),
    }
}

/// Measures what an operator with a Lease requests while nothing changes.
async fn quiet(world: &World, length: Duration) -> Quiet {
    say(&format!("{} s of quiet", length.as_secs()));
    let run = Run::start(world, Scope::Elected).await;
    run.settle(world.resources()).await;
    let (since, cpu) = (jiff::Timestamp::now(), run.cpu());
    tokio::time::sleep(length).await;
    Quiet {
        size: world.resources(),
        length,
        requests: world.requests(since),
        cpu: run.cpu().saturating_sub(cpu),
        memory: run.memory(),
    }
}
