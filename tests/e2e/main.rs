//! `make test-e2e`: vas installed by its chart from its image, on nodes that run containers, under load.
//!
//! ```text
//! stage      cluster, images, Prometheus, VoiceAssist's pods, chart, vas register, overlay
//! images     of vas and of VoiceAssist's pods, as archives
//! users      requests and jobs: what VoiceAssist's users send
//! replicas   what both Deployments have had, all the time
//! cases/     the tests: `core`, then the `rest`
//! table      test, seconds, what was seen; decides the exit code
//! ```
//!
//! Variables: `CORE=1` runs the part for every change alone; `E2E_ONLY` the tests of these names, with commas; `E2E_DIR` is
//! a cluster that runs already (`make cluster-up NODE=real`), and is left.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "as in the other tests: a test that cannot go on must stop, and it may look at the clock"
)]

mod cases;
mod images;
mod stage;
mod table;
mod users;

use std::process::ExitCode;

use self::{stage::Stage, table::Table};

#[tokio::main]
async fn main() -> ExitCode {
    let mut table = Table::from_environment();
    let mut stage = None;
    table
        .test("install", async {
            let (set, seen) = Stage::set().await;
            stage = Some(set);
            seen
        })
        .await;
    if let Some(stage) = stage {
        Box::pin(cases::core(&mut table, &stage)).await;
        if std::env::var("CORE").unwrap_or_default() != "1" {
            Box::pin(cases::rest(&mut table, &stage)).await;
        }
        if !stage.is_foreign() {
            table.test("nothing-left", cases::left::nothing(stage)).await;
        }
    }
    table.end()
}
