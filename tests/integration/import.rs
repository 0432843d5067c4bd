//! `vas import` as a user runs it.

use std::process::Output;

use support::{
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

/// Runs `vas validate` on a resource with pasted entries.
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
    assert!(report.starts_with("converted 3, not converted 1\n"), "{report}");
    assert!(
        report.contains("HPA api (of_another_adapter): no rule of rules serves it"),
        "{report}"
    );
    let entries = stdout(&output);
    assert!(
        entries.contains(
            "# ConfigMap adapter-config, config.yaml: rules[0]: http_requests_per_second of http_requests_total\n\
             # target of HPA api\n"
        ),
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
        stderr(&output).contains("to do: fill in 3 target(s)"),
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
fn alternatives_are_comments_below_the_entry_that_was_taken() {
    let rule = |series: &str| {
        format!(
            "- seriesQuery: '{series}'\n  resources: {{template: <<.Resource>>}}\n  name: {{as: http_requests_per_second}}\n  metricsQuery: 'sum(rate(<<.Series>>{{<<.LabelMatchers>>}}[2m])) by (<<.GroupBy>>)'\n"
        )
    };
    let folder = run_dir();
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("two-rules.yaml");
    let rules = format!("rules:\n{}{}", rule("first_total"), rule("second_total"));
    std::fs::write(&path, rules).expect("a file");
    let output = import(&["-f", &path.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let entries = stdout(&output);
    assert!(
        entries.contains("    counter: second_total") && entries.contains("#       counter: first_total"),
        "{entries}"
    );
    assert!(
        stderr(&output).contains("is a guess among 2 rules"),
        "{}",
        stderr(&output)
    );
    let with_target = entries
        .replace("averageValue: \"0\"", "averageValue: 5")
        .replace("averageValue: '0'", "averageValue: 5");
    let checked = validated("alternatives", &with_target);
    assert!(checked.status.success(), "{}{with_target}", stdout(&checked));
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

/// Runs `vas validate` and `vas render` on an imported file, with these manifests beside it.
fn rendered(name: &str, resources: &str, beside: &str) -> serde_json::Value {
    let folder = run_dir();
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("{name}.yaml"));
    std::fs::write(&path, resources).expect("a file");
    let path = path.to_string_lossy();
    let checked = run(&["validate", "-f", &path]);
    assert!(checked.status.success(), "{}{resources}", stdout(&checked));
    let rendered = run(&["render", "-o", "json", "-f", &path, "-f", beside]);
    assert!(rendered.status.success(), "{}", stderr(&rendered));
    serde_json::from_slice(&rendered.stdout).expect("JSON")
}

#[test]
fn an_imported_cluster_renders_to_the_objects_it_had() {
    const CLUSTER: &str = "tests/fixtures/cluster-hpas.yaml";
    let imported = run(&["import", "hpa", CLUSTER]);
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
    assert_eq!(stderr(&imported), "converted 2 workload(s), not converted 0\n");
    let list = rendered("imported-hpas", &stdout(&imported), CLUSTER);
    let items = list["items"].as_array().expect("a list");
    let specs: Vec<(&str, &serde_json::Value)> = items
        .iter()
        .map(|item| (item["kind"].as_str().expect("a kind"), &item["spec"]))
        .collect();
    let kinds: Vec<&str> = specs.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(
        kinds,
        [
            "HorizontalPodAutoscaler",
            "VerticalPodAutoscaler",
            "PodDisruptionBudget",
            "HorizontalPodAutoscaler"
        ]
    );
    assert_eq!(specs[0].1["minReplicas"], 2);
    assert_eq!(
        specs[0].1["behavior"]["scaleDown"]["stabilizationWindowSeconds"],
        600
    );
    assert_eq!(specs[1].1["updatePolicy"]["updateMode"], "Off");
    assert_eq!(
        specs[2].1,
        &serde_json::json!({
            "maxUnavailable": 1, "selector": {"matchLabels": {"app": "api"}}, "unhealthyPodEvictionPolicy": "AlwaysAllow",
        })
    );
    assert_eq!(
        specs[3].1["metrics"][0]["resource"]["target"]["averageUtilization"],
        60
    );
}

#[test]
fn objects_of_a_cluster_come_in_by_standard_input() {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };
    let mut process = Command::new(support::vas::binary())
        .args(["import", "hpa", "-f", "-", "-o", "json", "--name", "shop"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("vas starts");
    // The output of kubectl get --raw has items without a kind.
    let list = r#"{"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscalerList", "items": [
        {"metadata": {"name": "a"}, "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "a"}}}
    ]}"#;
    let mut stdin = process.stdin.take().expect("a pipe");
    stdin.write_all(list.as_bytes()).expect("written");
    drop(stdin);
    let output = process.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(0));
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(object["resources"][0]["metadata"]["name"], "shop");
    assert_eq!(
        object["resources"][0]["spec"]["workloads"][0]["scaleTargetRef"]["apiVersion"],
        "apps/v1"
    );
}

#[test]
fn imported_scaled_objects_are_valid_and_what_is_left_is_listed() {
    const OBJECTS: &str = "tests/fixtures/scaled-objects.yaml";
    let imported = run(&["import", "keda", "-f", OBJECTS]);
    assert_eq!(imported.status.code(), Some(1), "{}", stderr(&imported));
    let report = stderr(&imported);
    assert!(
        report.starts_with("converted 2 workload(s), not converted 1\n"),
        "{report}"
    );
    assert!(
        report.contains("ScaledObject shop/report (spec.triggers[1], cron): vas has no such metric: write an entry of schedules"),
        "{report}"
    );
    let list = rendered("imported-keda", &stdout(&imported), OBJECTS);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
    let disabled =
        |index: usize| list["items"][index]["spec"]["behavior"]["scaleUp"]["selectPolicy"] == "Disabled";
    assert!(
        !disabled(0) && disabled(1),
        "without its schedule the second must hold: {list}"
    );
}

#[test]
fn files_without_the_objects_that_are_imported_are_refused() {
    for from in ["hpa", "keda"] {
        let output = run(&["import", from, "tests/fixtures/deployment.yaml"]);
        assert_eq!(output.status.code(), Some(2), "{from}");
        assert!(stderr(&output).contains("found"), "{}", stderr(&output));
        assert_eq!(run(&["import", from]).status.code(), Some(2));
    }
}
