//! `vas test`, called as people call it.

use std::{path::PathBuf, process::Output, time::Duration};

use serde_json::Value;
use support::{
    cluster::{root, run_dir},
    eventually,
    process::{Signal, free_port},
    service::Server,
    vas,
};

/// The names of the scenarios that come with vas.
fn builtin_scenarios() -> Vec<String> {
    let files = std::fs::read_dir(root().join("src/loadtest/scenario/scenarios")).expect("a folder");
    let names = files.map(|file| {
        let path = file.expect("a file").path();
        path.file_stem().expect("a name").to_string_lossy().into_owned()
    });
    let names: Vec<String> = names.collect();
    assert!(names.len() >= 10, "{names:?}");
    names
}

/// Runs `vas test` without blocking the server that runs in this process.
pub(super) async fn test(args: &[&str]) -> Output {
    let mut all = vec!["test".to_owned()];
    all.extend(args.iter().map(|arg| (*arg).to_owned()));
    let run = move || vas::run(&all.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.expect("it runs")
}

/// As [`test`], with variables in the environment.
pub(super) async fn test_with(args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = std::process::Command::new(vas::binary());
    command.arg("test").args(args).current_dir(root());
    command.envs(environment.iter().copied());
    let run = move || command.output().expect("it runs");
    tokio::task::spawn_blocking(run).await.expect("it runs")
}

/// As [`test`], repeated until the generator had enough processor time: on a busy machine a run may rightly be
/// invalid.
pub(super) async fn valid_test(args: &[&str]) -> Output {
    const INVALID: i32 = 3;
    const RUNS: usize = 10;
    let mut output = test(args).await;
    for _ in 1..RUNS {
        if output.status.code() != Some(INVALID) {
            break;
        }
        output = test(args).await;
    }
    output
}

pub(super) fn words(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

pub(super) fn file(name: &str) -> PathBuf {
    std::fs::create_dir_all(run_dir()).expect("a folder");
    run_dir().join(format!("load-test-{name}"))
}

pub(super) fn read(file: &PathBuf) -> Value {
    let text = std::fs::read_to_string(file).expect("the report is there");
    serde_json::from_str(&text).expect("the report is JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_and_a_threshold_are_enough_and_the_exit_code_says_how_it_went() {
    let server = Server::start(None).await;
    let (json, junit, page) = (file("quick.json"), file("quick.xml"), file("quick.html"));
    let outputs = [
        format!("json={}", json.display()),
        format!("junit={}", junit.display()),
        format!("html={}", page.display()),
    ];
    let url = format!("{}/health", server.url());
    let quick = ["run", "--target", &url, "--rate", "50", "--duration", "2s"];
    let written = ["-o", &outputs[0], "-o", &outputs[1], "-o", &outputs[2]];
    let passed = valid_test(&[&quick[..], &["--threshold", "latency p95 < 5s"], &written].concat()).await;
    let (stdout, stderr) = words(&passed);
    assert_eq!(passed.status.code(), Some(0), "{stdout}{stderr}");
    assert!(stdout.starts_with("PASS  quick on http://127.0.0.1:"), "{stdout}");
    let summary = &read(&json)["summary"];
    assert_eq!(
        (summary["requests"].as_u64(), summary["errors"].as_u64()),
        (Some(100), Some(0))
    );
    assert_eq!(
        (&summary["verdict"], &summary["grade"]),
        (&"pass".into(), &"A".into())
    );
    let xml = std::fs::read_to_string(&junit).expect("the report is there");
    assert!(
        xml.contains("<testsuite") && xml.contains("failures=\"0\""),
        "{xml}"
    );

    let page = std::fs::read_to_string(&page).expect("the page is there");
    assert!(
        page.starts_with("<!DOCTYPE html>")
            && page.contains("PASS</p>")
            && page.contains("latency p95 &lt; 5s"),
        "{page}"
    );

    let (first, both) = (json.display().to_string(), file("merged.json"));
    let twice = test(&["merge", &first, &first]).await;
    assert_eq!(twice.status.code(), Some(2));
    let same = format!("{first} has what {first} has too: each run counts once");
    assert!(words(&twice).1.contains(&same), "{:?}", words(&twice));
    // Changed so that it looks like a run of another machine at the same time.
    let mut other = read(&json);
    other["run"]["ids"] = serde_json::json!(["1dea"]);
    let second = file("quick-elsewhere.json");
    std::fs::write(&second, other.to_string()).expect("a file");
    let merged = format!("json={}", both.display());
    let output = test(&["merge", &first, &second.display().to_string(), "-o", &merged]).await;
    let (stdout, stderr) = words(&output);
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    assert_eq!(read(&both)["summary"]["requests"], 200);
    let compared = test(&["compare", &first, &first]).await;
    // Two seconds are too few for a comparison.
    assert_eq!(compared.status.code(), Some(3), "{:?}", words(&compared));
    assert!(
        words(&compared).0.contains("answered of due, %"),
        "{:?}",
        words(&compared)
    );
    let refused = test(&["merge", &first, &junit.display().to_string()]).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        words(&refused).1.contains("quick.xml: not a report of vas test"),
        "{:?}",
        words(&refused)
    );

    let missed = valid_test(&[&quick[..], &["--threshold", "rate >= 60/s", "-q"]].concat()).await;
    let (stdout, stderr) = words(&missed);
    assert_eq!(missed.status.code(), Some(99), "{stdout}{stderr}");
    assert!(
        stdout.contains("FAIL rate >= 60/s") && stderr.is_empty(),
        "{stdout}{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_that_comes_with_vas_runs_without_an_error() {
    let server = Server::start(None).await;
    for builtin in &builtin_scenarios() {
        let json = file(&format!("{builtin}.json"));
        let output = format!("json={}", json.display());
        // Ten minutes become three seconds, and a thousand users fifty.
        let seconds = if builtin == "smoke" { "0.05" } else { "0.005" };
        let run = [
            "run",
            builtin,
            "--target",
            &server.url(),
            "--scale",
            seconds,
            "--scale-load",
            "0.05",
            "-q",
            // The latency depends on the machine, so it is not asserted.
            "-o",
            &output,
        ];
        let ended = test(&run).await;
        let (stdout, stderr) = words(&ended);
        assert!(
            matches!(ended.status.code(), Some(0 | 3 | 99)),
            "{builtin}: {stdout}{stderr}"
        );
        let report = read(&json);
        assert_eq!(report["summary"]["errors"], 0, "{builtin}: {stdout}");
        assert!(
            report["summary"]["requests"].as_u64() > Some(0),
            "{builtin}: {stdout}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fewer_connections_than_users_are_told_before_anything_is_sent() {
    let server = Server::start(None).await;
    let url = server.url();
    let run = [
        "run",
        "--target",
        &url,
        "--users",
        "20",
        "--think",
        "50ms",
        "--duration",
        "1s",
    ];
    let (stdout, stderr) = words(&test(&[&run[..], &["--max-connections", "5"]].concat()).await);
    let told = "20 users want 20 connections, and there may be 5 (--max-connections): they share them";
    assert!(stderr.starts_with(told), "{stderr}");
    assert!(stdout.contains(", at most 5 at once"), "{stdout}");
    let (stdout, stderr) = words(&test(&run).await);
    assert!(!stderr.contains("connections, and there may be"), "{stderr}");
    assert!(stdout.contains(" 20 connections, at most 20 at once"), "{stdout}");
    let refused = test(&[&run[..], &["--share-connections", "--connection-per-user"]].concat()).await;
    assert_eq!(refused.status.code(), Some(2), "{:?}", words(&refused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigint_ends_a_run_with_a_report_of_what_was_run() {
    let server = Server::start(None).await;
    let json = file("interrupted.json");
    let args = [
        "test".to_owned(),
        "run".to_owned(),
        format!("--target={}", server.url()),
        "--rate=20".to_owned(),
        "--duration=10m".to_owned(),
        format!("--output=json={}", json.display()),
    ];
    let mut process = vas::start("load-test-interrupted", &args, &[]);
    eventually(Duration::from_secs(60), "requests come", || async {
        let asked = server.asked().len();
        (asked > 20).then_some(()).ok_or(asked)
    })
    .await;
    process.signal(Signal::Interrupt);
    let status = process.wait(Duration::from_secs(60)).await;
    assert_eq!(status.code(), Some(130), "{}", process.log());
    let report = read(&json);
    assert_eq!(report["run"]["end"], "interrupted");
    assert!(report["summary"]["requests"].as_u64() >= Some(20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generator_that_was_stopped_itself_reports_invalid() {
    let server = Server::start(None).await;
    let json = file("stopped.json");
    let args = [
        "test".to_owned(),
        "run".to_owned(),
        format!("--target={}", server.url()),
        "--rate=50".to_owned(),
        "--duration=6s".to_owned(),
        format!("--output=json={}", json.display()),
    ];
    let mut process = vas::start("load-test-stopped", &args, &[]);
    eventually(Duration::from_secs(60), "requests come", || async {
        let asked = server.asked().len();
        (asked > 20).then_some(()).ok_or(asked)
    })
    .await;
    process.signal(Signal::Stop);
    tokio::time::sleep(Duration::from_secs(1)).await;
    process.signal(Signal::Cont);
    let status = process.wait(Duration::from_secs(60)).await;
    assert_eq!(status.code(), Some(3), "{}", process.log());
    let report = read(&json);
    assert_eq!(report["summary"]["verdict"], "invalid");
    assert_eq!(report["summary"]["grade"], Value::Null);
    assert!(
        report["doubts"][0]
            .as_str()
            .expect("a doubt")
            .contains("stood still")
    );
    // The service answered at once all the time. The latencies show all the same that requests were sent
    // late.
    assert!(report["summary"]["latency"]["max"].as_f64() > Some(0.5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_run_is_refused_before_anything_is_sent() {
    let target = format!("http://127.0.0.1:{}", free_port());
    let broken = file("broken.yaml");
    std::fs::write(&broken, "load: {users: [{duration: 1m, at: 5}]}\njourneys: []\n").expect("a file");
    let broken = broken.display().to_string();
    let with_query = format!("{target}/?a=b");
    for (args, expected) in [
        (vec!["run", "--target", &target], "--rate"),
        (vec!["run", "smoke"], "--target"),
        (
            vec!["run", "nothing", "--target", &target],
            "neither a scenario of vas (http-smoke, http-load",
        ),
        (
            vec!["run", &broken, "--target", &target],
            "journeys: must have at least one",
        ),
        (vec!["run", "smoke", "--target", "localhost:80"], "is not a URL"),
        (
            vec!["run", "smoke", "--target", &with_query],
            "cannot be put behind a query",
        ),
        (vec!["run", "--rate", "1e9", "--target", &target], "--max-rate"),
        (
            vec!["run", "smoke", "--target", &target, "--max-duration", "30s"],
            "--max-duration",
        ),
        (
            vec!["run", "quick", "--target", &target, "-o", "json=x.json"],
            "one by one",
        ),
        (
            vec!["run", "smoke", "--target", &target, "-o", "pdf=x"],
            "json=FILE",
        ),
        (
            vec!["run", "smoke", "--target", &target, "--threshold", "p95 < 1"],
            "latency p95 < 500ms",
        ),
    ] {
        let output = test(&args).await;
        let (stdout, stderr) = words(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stdout}{stderr}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
    }
    let refused = valid_test(&["run", "--rate", "20", "--duration", "1s", "--target", &target]).await;
    let (stdout, _) = words(&refused);
    assert_eq!(refused.status.code(), Some(99), "{stdout}");
    assert!(
        stdout.contains("20  cannot connect: connection refused"),
        "{stdout}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_published_schema_is_that_of_the_types() {
    let (schema, _) = words(&test(&["schema"]).await);
    let published =
        std::fs::read_to_string(root().join("docs/scenario.schema.json")).expect("it is published");
    assert_eq!(schema, published, "run `make generate`");
    let (shown, _) = words(&test(&["show", "smoke"]).await);
    assert!(shown.contains("latency p95 < 500ms"), "{shown}");
    let (listed, _) = words(&test(&["list"]).await);
    assert!(
        builtin_scenarios().iter().all(|builtin| listed.contains(builtin)),
        "{listed}"
    );
}
