//! Outputs of reports: all are tried before the load, all are written after it, and the verdict does not
//! change.

use std::{fs, path::PathBuf, process::Output};

use serde_json::Value;

use support::{service::Server, vas};

use super::command::{file, test, valid_test, words};

/// Runs a short test with these outputs. `threshold` decides whether it passes.
async fn run(server: &Server, threshold: &str, outputs: &[&str]) -> Output {
    let url = server.url();
    let mut args = vec!["run", "--target", &url, "--rate", "20", "--duration", "1s", "-q"];
    args.extend(["--threshold", threshold]);
    args.extend(outputs.iter().flat_map(|output| ["-o", output]));
    valid_test(&args).await
}

const HOLDS: &str = "errors < 50%";
const MISSED: &str = "rate >= 1000/s";

fn folder(name: &str) -> PathBuf {
    let folder = file(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn output(format: &str, file: &std::path::Path) -> String {
    format!("{format}={}", file.display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_reports_are_written_whatever_becomes_of_one_and_the_verdict_stays() {
    let server = Server::start(None).await;
    let folder = folder("outputs-all");
    let (json, page, empty) = (
        folder.join("run.json"),
        folder.join("run.html"),
        folder.join("empty"),
    );
    for (threshold, code, verdict) in [(MISSED, 99, "FAIL"), (HOLDS, 1, "PASS")] {
        let outputs = [
            "junit=/dev/full".to_owned(),
            output("json", &json),
            "md=/dev/full".to_owned(),
            output("html", &page),
        ];
        let ended = run(&server, threshold, &outputs.each_ref().map(String::as_str)).await;
        let (stdout, stderr) = words(&ended);
        assert_eq!(ended.status.code(), Some(code), "{stdout}{stderr}");
        assert!(stdout.starts_with(verdict), "{stdout}");
        assert_eq!(
            stderr
                .matches("cannot write the report to /dev/full: No space left")
                .count(),
            2,
            "{stderr}"
        );
        let report: Value =
            serde_json::from_str(&fs::read_to_string(&json).expect("it is written")).expect("JSON");
        assert_eq!(report["summary"]["requests"], 20);
        fs::remove_file(&page).expect("it is written");
    }
    let (first, compared) = (json.display().to_string(), folder.join("compared.md"));
    let ended = test(&[
        "compare",
        &first,
        &first,
        "-o",
        "json=/dev/full",
        "-o",
        &output("md", &compared),
    ])
    .await;
    // One second is too little for a comparison, and that stays the exit code.
    assert_eq!(ended.status.code(), Some(3), "{:?}", words(&ended));
    assert!(
        words(&ended).1.contains("/dev/full: No space left"),
        "{:?}",
        words(&ended)
    );
    assert!(compared.exists() && words(&ended).0.contains("answered of due"));

    fs::write(&empty, "").expect("a file");
    let ended = test(&["merge", &first, &empty.display().to_string()]).await;
    assert_eq!(ended.status.code(), Some(2));
    assert!(
        words(&ended).1.contains("it ends before its end"),
        "{:?}",
        words(&ended)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_written_is_told_before_anything_is_sent() {
    let server = Server::start(None).await;
    let folder = folder("outputs-refused");
    let file = folder.join("file");
    fs::write(&file, "as it was").expect("a file");
    for (to, why) in [
        (folder.join("none/run.json"), "its folder does not exist"),
        (file.join("run.json"), "its folder does not exist"),
        (folder.clone(), "directory"),
        // Nobody, not even root, can make files there.
        (PathBuf::from("/proc/self/run.json"), ""),
    ] {
        // Another output comes first, because all must be tried and not only the first one.
        let ended = run(&server, HOLDS, &[&output("md", &file), &output("json", &to)]).await;
        let (stdout, stderr) = words(&ended);
        assert_eq!(ended.status.code(), Some(1), "{stdout}{stderr}");
        let named = format!("cannot write the report to {}: ", to.display());
        assert!(stderr.contains(&named) && stderr.contains(why), "{stderr}");
    }
    assert!(server.asked().is_empty());
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "as it was");
    assert_eq!(
        fs::read_dir(&folder).expect("a folder").count(),
        1,
        "nothing is left over"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_file_for_two_reports_is_refused() {
    let server = Server::start(None).await;
    let folder = folder("outputs-twice");
    let (file, link, known) = (folder.join("new"), folder.join("link"), folder.join("known"));
    fs::write(&known, "").expect("a file");
    std::os::unix::fs::symlink(&known, &link).expect("a link");
    let around = folder.join("sub/../new");
    fs::create_dir_all(folder.join("sub")).expect("a folder");
    for (one, other) in [
        (output("json", &file), output("junit", &file)),
        (output("json", &file), output("junit", &around)),
        (output("json", &known), output("md", &link)),
        ("json=-".to_owned(), "md=-".to_owned()),
    ] {
        let ended = run(&server, HOLDS, &[&one, &other]).await;
        let (stdout, stderr) = words(&ended);
        assert_eq!(ended.status.code(), Some(2), "{one} {other}: {stdout}{stderr}");
        assert!(stderr.contains("two reports"), "{stderr}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dash_is_standard_output_and_the_text_for_people_goes_elsewhere() {
    let server = Server::start(None).await;
    let ended = run(&server, HOLDS, &["json=-"]).await;
    let (stdout, stderr) = words(&ended);
    assert_eq!(ended.status.code(), Some(0), "{stdout}{stderr}");
    let report: Value = serde_json::from_str(&stdout).expect("nothing but the report");
    assert_eq!(report["summary"]["requests"], 20);
    assert!(stderr.starts_with("PASS  quick on "), "{stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standard_output_that_is_full_keeps_no_file_from_being_written() {
    let server = Server::start(None).await;
    let json = folder("outputs-full").join("run.json");
    let script = format!(
        "exec {} test run --target {} --rate 20 --duration 1s -q --threshold '{MISSED}' -o json={} > /dev/full",
        vas::binary().display(),
        server.url(),
        json.display()
    );
    let shell =
        tokio::task::spawn_blocking(move || std::process::Command::new("sh").args(["-c", &script]).output());
    let ended = shell.await.expect("it runs").expect("a shell");
    let (_, stderr) = words(&ended);
    // On a busy machine the run may rightly be invalid.
    assert!(
        matches!(ended.status.code(), Some(99 | 3)),
        "{:?} {stderr}",
        ended.status
    );
    assert!(stderr.contains("standard output: No space left"), "{stderr}");
    assert!(json.exists());
}
