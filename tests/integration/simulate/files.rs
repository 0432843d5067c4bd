//! `vas simulate` from the command line: files in, text, JSON and CSV out.

use std::{fs, path::PathBuf, process::Command};

use serde_json::Value;

use super::{file, load};
use support::{
    cluster::root,
    vas::{binary, run},
};

/// Three replicas of a queue that asks for six, which may grow by two a minute.
const SYNC: &str = "\
hpa:
  metadata: {name: web}
  spec:
    scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
    minReplicas: 2
    maxReplicas: 10
    metrics:
    - {type: External, external: {metric: {name: depth}, target: {type: AverageValue, averageValue: '50'}}}
    behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 60}]}}
scale: {spec: {replicas: 3}, status: {replicas: 3, selector: app=web}}
answers:
- items: [{metricName: depth, value: '300'}]
state: {recommendations: [{replicas: 3, ageSeconds: 15}]}
";

#[test]
fn the_checked_in_schemas_are_those_of_the_types() {
    for (of, file) in [
        ("sync", "docs/simulate-sync.schema.json"),
        ("result", "docs/simulate-sync-result.schema.json"),
        ("replay", "docs/simulate-result.schema.json"),
    ] {
        let output = run(&["simulate", "schema", of]);
        assert_eq!(output.status.code(), Some(0));
        let checked_in = fs::read(root().join(file)).unwrap();
        assert!(
            output.stdout == checked_in,
            "{file} is out of date: run `make generate`"
        );
    }
}

#[test]
fn one_sync_is_printed_as_text_and_as_json() {
    let file = file("sync.yaml", SYNC);
    let file = file.to_string_lossy();
    let output = run(&["simulate", "sync", "-f", &file]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("3 replicas -> 5 (ScaleUpLimit); the metrics ask for 6, 6 in the end\n"),
        "{text}"
    );
    let output = run(&["simulate", "sync", "-f", &file, "-o", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["desired"], 5);
    assert_eq!(report["reason"], "ScaleUpLimit");
    assert_eq!(report["metrics"][0]["proposal"], 6);
    assert_eq!(report["conditions"][0]["reason"], "SucceededRescale");
    assert_eq!(report["state"]["scaleUpEvents"][0]["change"], 2);
}

#[test]
fn a_file_that_describes_no_sync_is_refused_with_its_name() {
    let file = file("broken.yaml", &SYNC.replace("answers:", "answer:"));
    let file = file.to_string_lossy();
    let output = run(&["simulate", "sync", "-f", &file]);
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(
        words.contains(&*file) && words.contains("unknown field `answer`"),
        "{words}"
    );
    assert!(output.stdout.is_empty());
}

const HPA: &str = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 20
  metrics:
  - {type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: '70'}}}
";

#[test]
fn the_shipped_resource_is_replayed_beside_a_lower_target_a_constant_and_the_optimum() {
    let load = file("load.csv", &load());
    let hpa = file("hpa.yaml", HPA);
    let [json, csv, html] = ["result.json", "result.csv", "result.html"].map(|name| file(name, ""));
    let shipped = root().join("manifests/voiceassist/voiceassistscaling.yaml");
    let arguments = [
        "simulate".to_owned(),
        format!("-f={}", shipped.display()),
        format!("-f={}", hpa.display()),
        "--workload=api-gateway".to_owned(),
        "--static=9".to_owned(),
        format!("--load={}", load.display()),
        "--capacity=100".to_owned(),
        "--price=0.1".to_owned(),
        format!("-o=json={}", json.display()),
        format!("-o=csv={}", csv.display()),
        format!("-o=html={}", html.display()),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = run(&arguments);
    let (text, words) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    // The plain HPA is not called api-gateway.
    assert_eq!(output.status.code(), Some(2), "{text}{words}");
    assert!(
        words.contains("hpa.yaml: it has 0 HorizontalPodAutoscalers"),
        "{words}"
    );
    let renamed = file(
        "hpa.yaml",
        &HPA.replace("name: web, namespace", "name: api-gateway, namespace"),
    );
    assert_eq!(renamed, hpa);
    let output = run(&arguments);
    let (text, words) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(0), "{text}{words}");
    let names: Vec<&str> = text
        .lines()
        .take(5)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        names,
        [
            "POLICY",
            "resource",
            &*hpa.to_string_lossy(),
            "static=9",
            "optimum"
        ],
        "{text}"
    );
    let report: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let figure = |policy: usize, name: &str| report["policies"][policy][name].as_f64().unwrap();
    assert!(figure(0, "short_minutes") > 0.0, "{report}");
    assert_eq!(
        (figure(2, "short_minutes"), figure(3, "short_minutes")),
        (0.0, 0.0)
    );
    assert!((figure(2, "replica_hours") - 9.0 * 3.5).abs() < 1e-6, "{report}");
    assert!((figure(2, "cost") - 9.0 * 0.1 * 730.0).abs() < 1e-6);
    assert!(figure(3, "replica_hours") < figure(2, "replica_hours"));
    let html = fs::read_to_string(html).unwrap();
    // The load, and one chart for each policy.
    assert_eq!(html.matches("<figure").count(), 5);
    let csv = fs::read_to_string(csv).unwrap();
    assert!(
        csv.starts_with("time,policy,load,desired,ready\n2026-03-01T10:00:00Z,resource,140,"),
        "{csv}"
    );
    assert_eq!(csv.lines().filter(|line| line.contains(",static=9,")).count(), 3);
}

#[test]
fn a_threshold_that_does_not_hold_ends_with_99_and_a_bad_load_with_2_and_its_line() {
    let load = file("threshold.csv", &load());
    let hpa = file("threshold.yaml", HPA);
    let simulate = |threshold: &str, load: &PathBuf| {
        let (hpa, load) = (hpa.display().to_string(), load.display().to_string());
        let output = run(&["simulate", "-f", &hpa, "--load", &load, "--threshold", threshold]);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(simulate("peak <= 20", &load).0, Some(0));
    let (code, words) = simulate("short < 0.001%", &load);
    assert_eq!(code, Some(99), "{words}");
    assert!(
        words.contains("resource: the threshold short < 0.001% does not hold"),
        "{words}"
    );
    let (code, words) = simulate("cost < 5", &load);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("nothing has a price"), "{words}");
    let broken = file("broken.csv", "time,value\n1,1\n2,NaN\n3,1\n");
    let (code, words) = simulate("peak < 20", &broken);
    assert_eq!(code, Some(2), "{words}");
    assert!(
        words.contains("broken.csv: line 3: the value NaN must be 0 or more"),
        "{words}"
    );
}

#[test]
fn two_outputs_to_one_file_are_refused_and_a_file_that_cannot_be_written_is_told_before_the_replay() {
    let load = file("outputs.csv", &load());
    let hpa = file("outputs.yaml", HPA);
    let kept = file("kept.json", "what was there before");
    let simulate = |outputs: [&str; 2]| {
        let (hpa, load) = (hpa.display().to_string(), load.display().to_string());
        let output = run(&[
            "simulate", "-f", &hpa, "--load", &load, "-o", outputs[0], "-o", outputs[1],
        ]);
        assert!(output.stdout.is_empty(), "{output:?}");
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let name = kept.display().to_string();
    let (code, words) = simulate([&format!("json={name}"), &format!("csv={name}")]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("give each its own file"), "{words}");
    let (code, words) = simulate([&format!("json={name}"), "csv=/nowhere/moments.csv"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(
        words.contains("/nowhere/moments.csv: its folder does not exist"),
        "{words}"
    );
    assert_eq!(fs::read_to_string(kept).unwrap(), "what was there before");
}

#[test]
fn the_page_about_cost_is_what_the_replay_gives() {
    let page = file("cost.md", "");
    let script = root().join("tests/bench/cost.sh");
    let output = Command::new(script).arg(binary()).arg(&page).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        fs::read_to_string(page).unwrap(),
        fs::read_to_string(root().join("docs/cost.md")).unwrap(),
        "docs/cost.md is out of date: run `make cost`"
    );
}
