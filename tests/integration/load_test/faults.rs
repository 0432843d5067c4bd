//! A run is not blamed on the service where the load generator lacks something.

use std::{path::Path, process::Command};

use serde_json::Value;

use support::{cluster::run_dir, service::Server, vas};

/// A shell that leaves `vas` fewer file descriptors than its limit says: some are open already when it
/// starts, like those that a parent process leaks.
const FEW_FILES: &str =
    "ulimit -n 256; for file in $(seq 60 219); do eval \"exec $file</dev/null\"; done; exec \"$@\"";

/// 200 connections at once, for two seconds.
const REQUESTS: &str = "
load: {rate: [{duration: 1s, at: 200}]}
timeout: 2s
thresholds: [errors < 100%]
journeys: [{name: user, steps: [{get: /hang}]}]
";

const SOCKETS: &str = "
load: {rate: [{duration: 1s, at: 200}, {duration: 1s, at: 0}]}
timeout: 2s
thresholds: [errors < 100%]
journeys: [{name: user, steps: [{websocket: {path: /ws, hold: 2s}}]}]
";

async fn run(name: &str, scenario: &str) -> (Option<i32>, Value) {
    let server = Server::start(None).await;
    let folder = run_dir().join(format!("load-test-faults-{name}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (file, report) = (folder.join("scenario.yaml"), folder.join("report.json"));
    std::fs::write(&file, scenario).expect("a file");
    let mut command = Command::new("bash");
    command
        .args(["-c", FEW_FILES, "bash"])
        .arg(vas::binary())
        .args(["test", "run", "--threads", "1", "-q", "--target", &server.url()])
        .arg(&file)
        .arg("-o")
        .arg(format!("json={}", report.display()));
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.expect("it runs").expect("it starts");
    assert!(
        report.exists(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code(), read(&report))
}

fn read(report: &Path) -> Value {
    let text = std::fs::read_to_string(report).expect("it is there");
    serde_json::from_str(&text).expect("it is JSON")
}

fn blames_the_generator((code, report): (Option<i32>, Value)) {
    let doubts = report["doubts"].to_string();
    assert_eq!(code, Some(3), "{doubts}");
    assert!(doubts.contains("too many open files"), "{doubts}");
    let faults = report["generator"]["faults"]["too_many_files"].as_u64();
    assert!(faults > Some(0), "{}", report["generator"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_without_a_file_to_open_make_a_run_invalid() {
    blames_the_generator(run("requests", REQUESTS).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websockets_without_a_file_to_open_make_a_run_invalid() {
    blames_the_generator(run("sockets", SOCKETS).await);
}
