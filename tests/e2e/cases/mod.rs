//! The tests, in their order: each leaves the stage as it found it. The core is for every change.

mod chain;
mod doctor;
mod drain;
mod killed;
pub(crate) mod left;
mod scaling;

use crate::{stage::Stage, table::Table};

/// Runs all. Gateway and workers have nothing to do with each other, so one test of each runs at a time.
pub(crate) async fn run(table: &mut Table, stage: &Stage) {
    table.test("doctor-fresh", doctor::fresh(stage)).await;
    table
        .both(
            ("request-rate", scaling::request_rate(stage)),
            ("queue-depth", scaling::queue_depth(stage)),
        )
        .await;
    table
        .both(
            ("memory", scaling::memory(stage)),
            ("queue-age", scaling::queue_age(stage)),
        )
        .await;
    table.test("cpu", scaling::cpu(stage)).await;
    table.test("chain", chain::from_load_to_ready(stage)).await;
    table.test("drain", drain::under_load(stage)).await;
    table
        .test("metrics-server-killed", killed::in_turn_and_together(stage))
        .await;
    table.test("doctor-broken", doctor::broken(stage)).await;
}
