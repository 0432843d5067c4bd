//! Judged runs for tests.

use std::time::Duration;

use super::Report;
use crate::{
    judge::{
        judge,
        testing::{measured, requests},
    },
    scenario::quick::{Level, scenario},
};

fn judged(answered: u64, failed: u64) -> Report {
    let thresholds = ["latency p90 < 2s", "errors < 1%"].map(|text| text.parse().unwrap());
    let mut scenario = scenario(
        Level::Rate(10.0),
        Duration::from_secs(10),
        false,
        thresholds.to_vec(),
    );
    scenario.name = "load".to_owned();
    let measured = measured(requests(answered, failed));
    judge(
        &scenario,
        "http://127.0.0.1:8080",
        measured,
        Vec::new(),
        Vec::new(),
    )
}

/// A run of which every check passes.
pub(crate) fn passing() -> Report {
    judged(100, 0)
}

/// A run in which one of ten requests fails.
pub(crate) fn failing() -> Report {
    judged(90, 10)
}
