//! One run of `vas test`, and the processor time that PostgreSQL used meanwhile.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::{Output, Stdio},
};

use serde_json::Value;
use tokio::process::Command;

use crate::{
    samples::samples,
    support::{Process, database_url},
    usage::processor_seconds,
    world::{INDEXED, Variant, World},
};

/// Most attempts at a run, as long as each is INVALID.
const ATTEMPTS: u32 = 3;

/// What each user does again and again, about once a second.
pub(crate) struct Request {
    /// The step, as in a scenario.
    pub(crate) step: String,
    pub(crate) token: String,
}

/// What one run found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Seconds of a whole request.
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    /// Requests that were answered as expected, and those that were not.
    pub(crate) answered: u64,
    pub(crate) errors: u64,
    /// Seconds of the queries of a request, by the gateway's profiler.
    pub(crate) queries: f64,
    /// Seconds of processor time of PostgreSQL for each request.
    pub(crate) database_cpu: f64,
}

/// The first attempt that `vas test` does not call INVALID; nothing if each of them was.
pub(crate) async fn valid<T>(attempt: impl AsyncFn() -> Option<T>) -> Option<T> {
    for _ in 0..ATTEMPTS {
        if let Some(found) = attempt().await {
            return Some(found);
        }
    }
    None
}

/// Measures a request with so many users; nothing if the run is INVALID.
pub(crate) async fn run(
    world: &World,
    variant: &Variant,
    request: &Request,
    users: u32,
    seconds: u32,
) -> Option<Measured> {
    let used = async || {
        let queries = queries(&variant.gateway).await;
        (processor_seconds(&world.postgres), queries)
    };
    let before = used().await;
    let report = scenario(&variant.gateway, request, users, seconds, "think: 800ms-1200ms").await?;
    let after = used().await;
    let step = &report["steps"]["it"];
    let (answered, errors) = (step["answered"].as_u64()?, step["errors"].as_u64()?);
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let requests = (answered + errors).max(1) as f64;
    Some(Measured {
        p50: step["latency"]["p50"].as_f64()?,
        p95: step["latency"]["p95"].as_f64()?,
        answered,
        errors,
        queries: (after.1 - before.1) / requests,
        database_cpu: (after.0 - before.0) / requests,
    })
}

/// Runs one step in a closed model; the report, or nothing if the run is INVALID.
pub(crate) async fn scenario(
    gateway: &Process,
    request: &Request,
    users: u32,
    seconds: u32,
    think: &str,
) -> Option<Value> {
    let mut text = String::new();
    let _ = write!(
        text,
        "description: one request\nload: {{users: [{{duration: {seconds}s, at: {users}}}]}}\nthresholds: [errors <= 100%]\n\
         journeys:\n- name: a\n  {think}\n  headers: {{Authorization: 'Bearer {}'}}\n  steps: [{}]\n",
        request.token, request.step,
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    fs::write(&file, text).unwrap();
    report(gateway, &[&file.display().to_string()]).await
}

/// The report of `vas test run` with these arguments; nothing if it is INVALID, which says that it proves nothing.
pub(crate) async fn report(gateway: &Process, arguments: &[&str]) -> Option<Value> {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let mut command = vas(gateway, arguments);
    command
        .arg("-q")
        .arg("-o")
        .arg(format!("json={}", report.display()));
    let Output { status, stderr, .. } = command.output().await.unwrap();
    let found: Option<Value> = fs::read(&report)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let said = String::from_utf8_lossy(&stderr);
    let found = found.unwrap_or_else(|| panic!("vas test: {status}: {said}"));
    match found["summary"]["verdict"].as_str() {
        Some("pass" | "fail") => Some(found),
        Some("invalid") => {
            eprintln!("bench: INVALID: {}", found["doubts"]);
            None
        }
        verdict => panic!("vas test: {status}: the verdict is {verdict:?}: {said}"),
    }
}

/// All scenarios of a suite of vas, with one verdict, over the gateway with all on; the exit code.
pub(crate) async fn suite(world: &World, name: &str) -> i32 {
    let name = if name == "release" { "all" } else { name };
    let gateway = world.gateway(&[], &[]).await;
    let database = database_url(world.postgres.port, INDEXED);
    let _worker = Process::worker(&database, &[]).await;
    let mut command = vas(&gateway, &[name]);
    let status = command
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit())
        .status()
        .await
        .unwrap();
    status.code().unwrap_or(1)
}

fn vas(gateway: &Process, arguments: &[&str]) -> Command {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/release/vas");
    assert!(
        built.exists(),
        "{} is missing: cargo build --release -p vas",
        built.display()
    );
    let mut command = Command::new(built);
    command.args(["test", "run"]).args(arguments);
    command.arg("--target").arg(format!("http://{}", gateway.address));
    command
}

/// Seconds of all queries so far, by the gateway's profiler.
async fn queries(gateway: &Process) -> f64 {
    let (_, metrics) = gateway.operations("/metrics").await.unwrap();
    samples(&metrics, "voiceassist_endpoint_database_time_seconds_sum")
        .values()
        .sum()
}
