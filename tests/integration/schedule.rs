//! `vas schedule` and `vas render --at` on files, also where the machine has no time zones.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use support::{cluster::run_dir, vas::binary};

const FILE: &str = r#"
apiVersion: scaling.voiceassist.io/v1alpha1
kind: VoiceAssistScaling
metadata: {name: web, namespace: shop}
spec:
  workloads:
  - name: api
    scaleTargetRef: {name: api}
    minReplicas: 3
    maxReplicas: 15
    metrics: [{name: cpu, resource: {name: cpu, target: {averageUtilization: 70}}}]
    schedules:
    - {name: day, schedule: "30 6 * * *", duration: 13h30m, timeZone: Europe/Berlin, minReplicas: 8}
    - {name: launch, at: "2026-12-01T08:00", duration: 6h, timeZone: Europe/Berlin, minReplicas: 20, maxReplicas: 40}
"#;

/// The exit code and the output of a command that reads the file from its standard input.
fn run(mut command: Command) -> (Option<i32>, String) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut stdin = child.stdin.take().expect("its standard input");
    stdin.write_all(FILE.as_bytes()).expect("the file is taken");
    drop(stdin);
    let output = child.wait_with_output().expect("its output");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn vas(words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(binary());
    command.args(words);
    run(command)
}

#[test]
fn a_moment_is_rendered_with_its_bounds() {
    for (at, min, max) in [
        ("2026-11-30T06:29:59+01:00", 3, 15),
        ("2026-11-30T06:30:00+01:00", 8, 15),
        ("2026-12-01T08:00:00+01:00", 20, 40),
        ("2026-12-01T19:00:00Z", 3, 15),
    ] {
        let (code, said) = vas(&["render", "-f", "-", "-o", "json", "--at", at]);
        assert_eq!(code, Some(0), "{said}");
        let hpa: Value = serde_json::from_str(&said).expect("an HPA");
        let bounds = (&hpa["spec"]["minReplicas"], &hpa["spec"]["maxReplicas"]);
        assert_eq!(
            (bounds.0.as_i64(), bounds.1.as_i64()),
            (Some(min), Some(max)),
            "{at}"
        );
    }
}

#[test]
fn the_changes_of_some_days_are_listed() {
    let (code, said) = vas(&["schedule", "-f", "-", "--days", "3", "-o", "json"]);
    assert_eq!(code, Some(0), "{said}");
    let listed: Value = serde_json::from_str(&said).expect("a list");
    let rows = listed[0]["workloads"][0]["rows"].as_array().expect("rows");
    let begins: Vec<&Value> = rows
        .iter()
        .skip(1)
        .filter(|row| {
            row["local"]
                .as_str()
                .is_some_and(|local| local.ends_with(" 06:30"))
        })
        .collect();
    assert_eq!(begins.len(), 3, "{said}");
    assert!(
        begins
            .iter()
            .all(|row| row["minReplicas"] == 8 && row["active"][0] == "day"),
        "{said}"
    );
    let (code, said) = vas(&["schedule", "-f", "-", "--environment", "none"]);
    assert_eq!(code, Some(2), "{said}");
}

/// Copies what the program needs to start into an empty folder: itself and its libraries.
fn empty_root(folder: &Path) {
    let program = binary();
    let libraries = Command::new("ldd").arg(&program).output().expect("ldd");
    let libraries = String::from_utf8_lossy(&libraries.stdout).into_owned();
    let paths = libraries.split_whitespace().filter(|word| word.starts_with('/'));
    for path in paths {
        let copy = folder.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
        std::fs::copy(path, copy).expect("a library");
    }
    let copy = folder.join("vas");
    let _ = std::fs::remove_file(&copy);
    std::fs::hard_link(&program, &copy)
        .or_else(|_| std::fs::copy(&program, &copy).map(|_| ()))
        .expect("the program");
}

#[test]
fn time_zones_are_known_in_an_empty_root() {
    let root = run_dir().join("empty-root");
    std::fs::create_dir_all(&root).expect("a folder");
    empty_root(&root);
    assert!(!root.join("usr/share/zoneinfo").exists());
    let mut command = Command::new("unshare");
    command
        .arg("--map-root-user")
        .arg(format!("--root={}", root.display()));
    command.args(["/vas", "schedule", "-f", "-", "--days", "2"]);
    let (code, said) = run(command);
    std::fs::remove_dir_all(&root).expect("the folder is removed");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("06:30  +0") && said.contains("Europe/Berlin"),
        "{said}"
    );
}
