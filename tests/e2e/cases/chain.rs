//! `vas test autoscaling` on pods that run: every link from the load's step to Ready pods.

use serde_json::Value;
use support::cluster::run_dir;

use crate::stage::{NAMESPACE, Stage};

/// Exit code of a run whose load generator was too slow.
const INVALID: i32 = 3;

/// Runs it to its end, scale-down included, and asks for its verdict.
pub(crate) async fn from_load_to_ready(stage: &Stage) -> String {
    stage.at_rest().await;
    let target = format!("http://{}/work", stage.address(NAMESPACE, "api-gateway"));
    let report = run_dir().join("chain.json");
    let output = format!("json={}", report.display());
    let args = [
        "test",
        "autoscaling",
        "voiceassist",
        "--namespace",
        NAMESPACE,
        "--workload=api-gateway",
        "--target",
        &target,
        "--allow-production",
        "--replicas=6",
        "--before=10s",
        "--ramp=5s",
        "--hold=60s",
        "--threshold=errors < 1",
        "--output",
        &output,
    ];
    let mut run = tokio::task::block_in_place(|| stage.vas(&args));
    if run.status.code() == Some(INVALID) {
        // Something else had the machine. What vas does not vouch for is no result, in either direction.
        eprintln!(
            "e2e:   INVALID, once more: {}",
            String::from_utf8_lossy(&run.stdout)
        );
        stage.at_rest().await;
        run = tokio::task::block_in_place(|| stage.vas(&args));
    }
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let words = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{}: {text}\n{words}", run.status);
    let report = std::fs::read(&report).expect("the report was written");
    let report: Value = serde_json::from_slice(&report).expect("the report is JSON");
    assert_eq!(report["summary"]["verdict"], "pass", "{text}");
    let steps: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("scale-up"))
        .collect();
    assert!(!steps.is_empty(), "no scale-up was seen:\n{text}");
    format!("{}; {}", report["summary"]["grade"], steps.join("; "))
}
