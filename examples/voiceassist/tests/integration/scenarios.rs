//! The scenarios that come with `vas test`, unchanged but for their length and number of users.

use std::{path::PathBuf, process::Output};

use serde_json::Value;
use tokio::process::Command;

use crate::support::Stack;

/// The operator's program, as `make test-voiceassist` built it.
fn vas() -> PathBuf {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/vas");
    assert!(
        built.exists(),
        "{} is missing: cargo build -p vas",
        built.display()
    );
    built
}

/// A gateway that refuses nobody because this machine is busy: on one that gives it a tenth of a core, logins that come together
/// wait longer than 2 s, and then each 503 is right and says nothing of the scenario.
const PATIENT: [&str; 4] = ["--login-wait", "9s", "--pool-wait", "9s"];

/// Runs a scenario against a gateway of its own; the report as JSON.
async fn run(stack: &Stack, name: &str, flags: &[&str]) -> (Output, Value) {
    let (gateway, _) = stack.gateway(&PATIENT).await;
    let directory = tempfile::tempdir().unwrap();
    let report = directory.path().join("report.json");
    let output = Command::new(vas())
        .args([
            "test",
            "run",
            name,
            "--target",
            &format!("http://{}", gateway.address),
        ])
        .args(flags)
        .arg("-o")
        .arg(format!("json={}", report.display()))
        .output()
        .await
        .unwrap();
    let report = std::fs::read(&report).unwrap_or_default();
    (output, serde_json::from_slice(&report).unwrap_or_default())
}

/// A passing run, in which every request of every step of the journeys was answered as the scenario wants. A run that is INVALID
/// because the machine was busy, or slow for the same reason, is repeated, at most twice; one with a failed request never.
async fn passes(stack: &Stack, name: &str, steps: usize, flags: &[&str]) {
    for attempt in 1..=3 {
        let (output, report) = run(stack, name, flags).await;
        let said = String::from_utf8_lossy(&output.stdout);
        let by_name = report["steps"].as_object();
        let by_name = by_name.unwrap_or_else(|| panic!("{name} has no steps: {said}"));
        for (step, counted) in by_name {
            let errors = counted["errors"].as_u64();
            assert_eq!(errors, Some(0), "{name}: {step}: {}\n{said}", counted["failures"]);
        }
        if output.status.success() {
            assert_eq!(by_name.len(), steps, "{name}: {:?}", by_name.keys());
            let missed = by_name
                .iter()
                .find(|(_, counted)| counted["answered"].as_u64() == Some(0));
            assert!(missed.is_none(), "{name}: nobody came to {missed:?}\n{said}");
            return;
        }
        assert!(attempt < 3, "{name}: {}\n{said}", output.status);
    }
}

#[tokio::test]
async fn smoke_passes_in_its_whole_length() {
    let stack = Stack::new().await;
    passes(&stack, "smoke", 7, &[]).await;
}

#[tokio::test]
async fn api_journey_passes() {
    let stack = Stack::new().await;
    passes(
        &stack,
        "api-journey",
        11,
        &["--scale", "0.1", "--scale-load", "0.2"],
    )
    .await;
}

#[tokio::test]
async fn admin_workflow_passes_and_a_second_run_over_the_same_data_too() {
    let stack = Stack::new().await;
    for _ in 0..2 {
        passes(
            &stack,
            "admin-workflow",
            12,
            &["--scale", "0.25", "--scale-load", "0.3"],
        )
        .await;
    }
}

#[tokio::test]
async fn websocket_passes() {
    let stack = Stack::new().await;
    passes(&stack, "websocket", 1, &["--scale", "0.1", "--scale-load", "0.4"]).await;
}

#[tokio::test]
async fn voice_passes() {
    let stack = Stack::new().await;
    passes(&stack, "voice", 4, &["--scale", "0.1", "--scale-load", "0.4"]).await;
}

#[tokio::test]
async fn mixed_passes() {
    let stack = Stack::new().await;
    passes(&stack, "mixed", 14, &["--scale", "0.1", "--scale-load", "0.5"]).await;
}
