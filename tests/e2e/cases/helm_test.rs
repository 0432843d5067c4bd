//! `helm test`, whose pod asks the metrics server through its Service whether it is ready.

use support::chart;

use crate::stage::{INSTALLED, Stage};

/// It passes on the installation as it is.
pub(crate) fn passes(stage: &Stage) -> String {
    let words = chart::run_ok(
        &stage.cluster,
        &["test", chart::RELEASE, "-n", INSTALLED, "--timeout=3m"],
    );
    let phase = words
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("Phase:"));
    assert!(phase.is_some_and(|line| line.ends_with("Succeeded")), "{words}");
    "the pod of helm test succeeded".to_owned()
}
