//! `make bench-voiceassist`: each optimisation of VoiceAssist off and on, over the same data, measured by `vas test`; writes
//! `docs/voiceassist-benchmarks.md`.
//!
//! ```text
//! arguments  how much                        cases    what is asked, and in which variants
//! world      servers, data, gateways         load     one run of `vas test`, and what PostgreSQL used meanwhile
//! mix        the report's users              own      what the profiler itself costs
//! document   the tables                          usage    the processor time of PostgreSQL
//! samples    what a gateway says of itself
//! ```
//!
//! Invariant: the variants are one binary over two databases with the same rows; nothing is compared that was not measured in
//! the same run of the benchmark; a run of `vas test` that is INVALID is repeated, then left out and named (`load::valid`).

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on must stop, and it looks at the clock"
)]

mod arguments;
mod cases;
mod document;
mod load;
mod mix;
mod own;
mod samples;
#[path = "../../tests/integration/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use all of it")]
mod support;
mod usage;
mod world;

use clap::Parser as _;

use self::{arguments::Arguments, world::World};

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let size = arguments.size();
    let world = World::new(size).await;
    if let Some(suite) = &arguments.suite {
        std::process::exit(load::suite(&world, suite).await);
    }
    let mut document = document::Document::begin(size);
    let gateways = world.gateways().await;
    for case in cases::CASES {
        document.case(case, &cases::measure(&world, &gateways, case, size).await);
    }
    drop(gateways);
    document.most(mix::most(&world, size).await);
    document.mix(&mix::measure(&world, size).await);
    document.own(&own::measure(&world).await);
    document.write(&arguments);
}
