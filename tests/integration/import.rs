//! `vas import` as a user runs it.

use std::process::Output;

use crate::support::{
    cluster::{root, run_dir},
    vas::run,
};

const CONFIG: &str = "tests/fixtures/prometheus-adapter.yaml";
const HPAS: &str = "tests/fixtures/prometheus-adapter-hpas.yaml";

fn import(args: &[&str]) -> Output {
    let mut all = vec!["import", "prometheus-adapter"];
    all.extend_from_slice(args);
    run(&all)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A resource with pasted entries, and what `vas validate` makes of it.
fn validated(name: &str, entries: &str) -> Output {
    let folder = run_dir();
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("{name}.yaml"));
    let indented: Vec<String> = entries.lines().map(|line| format!("    {line}")).collect();
    let indented = indented.join("\n");
    let resource = format!(
        "apiVersion: scaling.voiceassist.io/v1alpha1
kind: VoiceAssistScaling
metadata: {{name: imported, namespace: shop}}
spec:
  workloads:
  - name: api
    scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: api}}
    maxReplicas: 10
{indented}
"
    );
    std::fs::write(&path, resource).expect("a file");
    run(&["validate", "-f", &path.to_string_lossy()])
}

#[test]
fn imported_entries_can_be_pasted_and_what_is_left_is_listed() {
    let output = import(&["-f", CONFIG, "--hpa", HPAS]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let report = stderr(&output);
    assert!(report.starts_with("converted 2, not converted 1\n"), "{report}");
    assert!(report.contains("rules[1] (worker_memory_bytes): "), "{report}");
    let entries = stdout(&output);
    assert!(
        entries
            .contains("# rules[0]: http_requests_per_second of http_requests_total\n# target of HPA api\n"),
        "{entries}"
    );
    let checked = validated("pasted", &entries);
    assert!(
        checked.status.success(),
        "{}{}\n{entries}",
        stdout(&checked),
        stderr(&checked)
    );
}

#[test]
fn targets_left_open_are_what_validate_points_at() {
    let output = import(&["-f", CONFIG]);
    let entries = stdout(&output);
    assert!(
        stderr(&output).contains("to do: fill in 2 target(s)"),
        "{}",
        stderr(&output)
    );
    let checked = validated("open", &entries);
    assert_eq!(checked.status.code(), Some(2));
    assert!(
        stdout(&checked).contains(".requestRate.target.averageValue"),
        "{}",
        stdout(&checked)
    );
}

#[test]
fn unreadable_input_is_told_apart_from_rules_without_a_counterpart() {
    for file in ["tests/fixtures/nothing.yaml", "tests/fixtures/deployment.yaml"] {
        let output = import(&["-f", file]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert_eq!(stdout(&output), "", "{file}");
    }
    assert!(root().join(CONFIG).exists());
}
