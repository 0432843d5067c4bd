//! The tests, in their order: each leaves the stage as it found it.

mod chain;
mod distributed;
mod doctor;
mod drain;
mod faults;
mod helm_test;
mod killed;
pub(crate) mod left;
mod memory_limit;
mod policy;
mod readme;
mod rolling;
mod scaling;
mod scheduled;
mod stranger;
mod upgraded;
mod vertical;

use crate::{stage::Stage, table::Table};

/// Runs what is for every change.
pub(crate) async fn core(table: &mut Table, stage: &Stage) {
    // Gateway and workers have nothing to do with each other, so one test of each runs at a time.
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

/// Runs the rest. The last ones take the installation away and make another one.
pub(crate) async fn rest(table: &mut Table, stage: &Stage) {
    table.test("memory-limit", memory_limit::exceeded(stage)).await;
    table.test("rolling-update", rolling::under_load(stage)).await;
    Box::pin(faults::all(table, stage)).await;
    table.test("vpa", vertical::off_initial_and_in_place(stage)).await;
    table.test("stranger", stranger::learns_nothing(stage)).await;
    table
        .test("network-policy", async { policy::fits_the_pods(stage) })
        .await;
    table
        .test("scheduled-load-test", scheduled::smoke_passes(stage))
        .await;
    table.test("helm-test", async { helm_test::passes(stage) }).await;
    table
        .test("distributed-load-test", distributed::four_pods(stage))
        .await;
    table.test("readme-install", readme::word_by_word(stage)).await;
    table
        .test("kustomize-upgrade", upgraded::to_the_next_version_and_back(stage))
        .await;
}
