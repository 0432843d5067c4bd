//! The offline commands as a user runs them.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use support::{
    cluster::root,
    vas::{binary, run},
};

const EXAMPLE: &str = "manifests/voiceassist/voiceassistscaling.yaml";
const FIVE_MISTAKES: &str = "tests/fixtures/five-mistakes.yaml";

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs `vas` with text on its standard input.
fn run_with_input(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(binary())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("vas starts");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    stdin.write_all(input.as_bytes()).expect("vas reads its input");
    drop(stdin);
    child.wait_with_output().expect("vas ends")
}

#[test]
fn the_checked_in_crd_is_the_one_of_the_types() {
    let generated = stdout(&run(&["crd"]));
    let checked_in = std::fs::read_to_string(root().join("crds/voiceassistscalings.yaml")).unwrap();
    assert!(
        generated == checked_in,
        "crds/voiceassistscalings.yaml is out of date: run `make generate`"
    );
}

#[test]
fn the_crd_has_no_unsigned_format_and_bounds_every_list_and_string() {
    fn unbounded(path: &str, schema: &Value, found: &mut Vec<String>) {
        let format = schema["format"].as_str().unwrap_or_default();
        if format.starts_with("uint") {
            found.push(format!("{path}: {format}"));
        }
        let free = match schema["type"].as_str() {
            Some("string") => {
                schema["maxLength"].is_null() && schema["enum"].is_null() && format != "date-time"
            }
            Some("array") => schema["maxItems"].is_null(),
            Some("object") => !schema["additionalProperties"].is_null() && schema["maxProperties"].is_null(),
            _ => false,
        };
        if free {
            found.push(format!("{path}: no bound"));
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            unbounded(&format!("{path}.{name}"), inner, found);
        }
        for name in ["items", "additionalProperties"] {
            if schema[name].is_object() {
                unbounded(&format!("{path}.{name}"), &schema[name], found);
            }
        }
    }
    let crd: Value = serde_json::from_slice(&run(&["crd", "-o", "json"]).stdout).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut found = Vec::new();
    unbounded("", schema, &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn validate_reports_five_mistakes_at_once() {
    let output = run(&["validate", "-f", FIVE_MISTAKES]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "voiceassistscaling/voiceassist (tests/fixtures/five-mistakes.yaml): 5 problems"
    );
    assert_eq!(lines.len(), 6, "{text}");
    let expected = [
        (
            "spec.workloads[0].maxReplica: 12: ",
            "unknown field; did you mean maxReplicas?",
        ),
        (
            r#"spec.workloads[0].vertical: {"updateMode":"Recreate"}: "#,
            "the HPA scales on cpu",
        ),
        (
            "spec.workloads[0].disruption.minAvailable: 2: ",
            "lower it, raise minReplicas or use maxUnavailable",
        ),
        (
            r#"spec.workloads[1].metrics[0].queueAge.target.value: "0": "#,
            "must be greater than zero",
        ),
        (
            "spec.environments[1].workloads[0].minReplicas: 6: ",
            "minReplicas must not be greater than maxReplicas, here 6 and 5 (in environment production)",
        ),
    ];
    for (start, rule) in expected {
        let line = lines.iter().find(|line| line.contains(&format!(": {start}")));
        let line = line.unwrap_or_else(|| panic!("{start} is not reported:\n{text}"));
        assert!(line.contains(rule), "{line} lacks {rule}");
    }
}

#[test]
fn validate_speaks_json() {
    let output = run(&["validate", "-f", FIVE_MISTAKES, "-o", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list[0]["name"], "voiceassist");
    assert_eq!(list[0]["valid"], false);
    let violations = list[0]["violations"].as_array().unwrap();
    assert_eq!(violations.len(), 5);
    let in_production = violations
        .iter()
        .find(|violation| violation["environment"] == "production")
        .unwrap();
    assert_eq!(
        in_production["path"],
        "spec.environments[1].workloads[0].minReplicas"
    );
    assert_eq!(in_production["workload"], "worker");
}

#[test]
fn validate_accepts_the_shipped_example() {
    let output = run(&["validate", "-f", EXAMPLE]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert_eq!(
        stdout(&output),
        "voiceassistscaling/voiceassist (manifests/voiceassist/voiceassistscaling.yaml): ok, in every environment (dev, staging, production)\n"
    );
}

#[test]
fn a_warning_is_shown_and_fails_only_under_strict() {
    let short_window =
        std::fs::read_to_string(root().join(EXAMPLE))
            .unwrap()
            .replacen("window: 1m", "window: 10s", 1);
    for (flags, code) in [(&[][..], 0), (&["--strict"], 1)] {
        let args: Vec<&str> = ["validate", "-f", "-"].iter().chain(flags).copied().collect();
        let output = run_with_input(&args, &short_window);
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(code), "{text}{}", stderr(&output));
        assert!(
            text.contains(": ok, in every environment (dev, staging, production), 1 warning\n"),
            "{text}"
        );
        assert!(
            text.contains(r#"requestRate.window: "10s": a rate needs two samples"#),
            "{text}"
        );
    }
    let output = run_with_input(&["validate", "-f", "-", "-o", "json"], &short_window);
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list[0]["valid"], true);
    assert_eq!(list[0]["warnings"].as_array().map(Vec::len), Some(1));
}

#[test]
fn validate_takes_files_and_directories_and_goes_on_after_one_that_is_no_yaml() {
    let folder = std::env::temp_dir().join(format!("vas-validate-{}", std::process::id()));
    let inner = folder.join("inner");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::copy(root().join(EXAMPLE), folder.join("a.yaml")).unwrap();
    std::fs::write(folder.join("b.yml"), "a: [1\n").unwrap();
    std::fs::write(folder.join("notes.txt"), "no manifest: [").unwrap();
    std::fs::copy(root().join(FIVE_MISTAKES), inner.join("c.json")).unwrap();
    let path = folder.to_string_lossy().into_owned();

    let flat = run(&["validate", &path]);
    let recursive = run(&["validate", "-R", &path]);
    let of_none = run(&["validate", &root().join("src").to_string_lossy()]);
    let of_two = run(&["validate", EXAMPLE, "-f", EXAMPLE]);
    std::fs::remove_dir_all(&folder).unwrap();

    assert_eq!(flat.status.code(), Some(2));
    assert_eq!(stdout(&flat).lines().count(), 1, "{}", stdout(&flat));
    let unread = stderr(&flat);
    assert!(
        unread.contains("b.yml:") && unread.contains("not valid YAML: a bracket"),
        "{unread}"
    );
    assert!(!unread.contains("notes.txt"), "{unread}");
    let found = stdout(&recursive);
    assert!(
        found.contains("c.json:11:5: spec.workloads[0].maxReplica: 12: unknown field"),
        "{found}"
    );
    assert_eq!(of_none.status.code(), Some(2));
    assert!(stderr(&of_none).contains("-R looks into"), "{}", stderr(&of_none));
    assert_eq!(stdout(&of_two).lines().count(), 2);
}

#[test]
fn the_help_of_validate_names_the_limits_of_the_crd() {
    let help = stdout(&run(&["validate", "--help"]));
    let crd: Value = serde_json::from_slice(&run(&["crd", "-o", "json"]).stdout).unwrap();
    let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    let workload = &spec["workloads"]["items"]["properties"];
    let metric = &workload["metrics"]["items"]["properties"];
    for (limit, words) in [
        (&spec["workloads"]["maxItems"], "N workloads"),
        (&spec["environments"]["maxItems"], "N environments"),
        (&workload["metrics"]["maxItems"], "N metrics"),
        (&workload["maxReplicas"]["maximum"], "at most N"),
        (
            &metric["requestRate"]["properties"]["matchLabels"]["maxProperties"],
            "N labels",
        ),
        (
            &metric["prometheus"]["properties"]["query"]["maxLength"],
            "N characters",
        ),
    ] {
        let number = limit.as_f64().expect("the CRD has this bound");
        let words = words.replace('N', &number.to_string());
        assert!(help.contains(&words), "{words} is not in {help}");
    }
}

#[test]
fn validate_names_an_unknown_environment_and_the_known_ones() {
    let output = run(&["validate", "-f", EXAMPLE, "--environment", "prod"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stdout(&output)
            .contains(r#"environment "prod" is not in spec.environments (it has dev, staging, production)"#),
        "{}",
        stdout(&output)
    );
}

#[test]
fn validate_reads_standard_input_and_passes_over_other_kinds() {
    let example = std::fs::read_to_string(root().join(EXAMPLE)).unwrap();
    let deployment = include_str!("../fixtures/deployment.yaml");
    let output = run_with_input(
        &["validate", "-f", "-"],
        &format!("---\n{deployment}\n---\n{example}\n---\n"),
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 1);
    let output = run_with_input(&["validate", "-f", "-"], deployment);
    assert_eq!(
        output.status.code(),
        Some(2),
        "a file without one of ours is a mistake"
    );
    assert!(
        stderr(&output).contains("no VoiceAssistScaling found"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_file_that_is_no_yaml_is_named_with_its_line() {
    let output = run_with_input(&["validate", "-f", "-"], "spec:\n  a: 1\n  a: 2\n");
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(
        text.contains("standard input:3:3: not valid YAML: the field a is there twice"),
        "{text}"
    );
}

#[test]
fn render_refuses_what_validate_refuses_and_prints_nothing() {
    let output = run(&["render", "-f", FIVE_MISTAKES]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).contains("5 problems"), "{}", stderr(&output));
}

#[test]
fn render_takes_the_selector_from_a_manifest_beside_the_resource() {
    let budget = |files: &[&str]| {
        let mut args = vec!["render", "-n", "prod", "-o", "json"];
        args.extend(files.iter().flat_map(|file| ["-f", file]));
        let output = run(&args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let list: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(list["kind"], "List");
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["kind"] == "PodDisruptionBudget")
            .unwrap()
            .clone()
    };
    let alone = budget(&[EXAMPLE]);
    assert_eq!(
        alone["spec"]["selector"]["matchLabels"]["scaling.voiceassist.io/placeholder"],
        "selector-of-the-scale-target"
    );
    let beside = budget(&[EXAMPLE, "tests/fixtures/deployment.yaml"]);
    assert_eq!(beside["spec"]["selector"]["matchLabels"]["app"], "api-gateway");
    assert_eq!(beside["metadata"]["namespace"], "prod");
}

#[test]
fn render_freezes_what_an_annotation_suspends() {
    let rendered = |suspension: &str| {
        let resource = json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
            "metadata": {"name": "v", "annotations": {"scaling.voiceassist.io/suspend": suspension}},
            "spec": {"workloads": [{
                "name": "api", "maxReplicas": 5,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
                "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}],
            }]},
        });
        let output = run_with_input(&["render", "-f", "-", "-o", "json"], &resource.to_string());
        let hpa: Value = serde_json::from_slice(&output.stdout).unwrap();
        hpa["spec"]["behavior"]["scaleUp"]["selectPolicy"].clone()
    };
    assert_eq!(rendered("workloads=api"), "Disabled");
    assert_eq!(rendered("until=2020-01-01T00:00:00Z"), "Max");
}

#[test]
fn usage_errors_exit_with_two() {
    for args in [&["validate"][..], &["render", "-o", "xml"], &["no-such-command"]] {
        assert_eq!(run(args).status.code(), Some(2), "{args:?}");
    }
}
