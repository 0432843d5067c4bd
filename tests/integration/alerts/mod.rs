//! The alerts in Prometheus' own evaluation: promtool runs the shipped rules on series that are made up, and each alert
//! has cases in which it fires and cases in which it must not.

mod cases;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

use cases::{CASES, Case};
use support::{
    cluster::{promtool, root, run_dir},
    kustomization::Kustomization,
    vas::run,
};

const RULES: &str = "manifests/monitoring/rules/vas.yaml";

/// The alerts of the shipped rules, by name.
fn shipped() -> Vec<Value> {
    let text = std::fs::read_to_string(root().join(RULES)).unwrap();
    let rules: Value = serde_saphyr::from_str(&text).unwrap();
    let groups = rules["groups"].as_array().unwrap().iter();
    groups
        .flat_map(|group| group["rules"].as_array().unwrap().clone())
        .collect()
}

fn checked(args: &[&str], file: PathBuf) -> Output {
    Command::new(promtool())
        .args(args)
        .arg(file)
        .output()
        .expect("promtool starts")
}

/// A file for `promtool test rules`.
fn tests(rules: &Path, cases: &[&Case]) -> Value {
    let tests: Vec<Value> = cases
        .iter()
        .map(|case| {
            let series: Vec<Value> = case
                .series
                .iter()
                .map(|(series, values)| json!({"series": series, "values": values}))
                .collect();
            let firing = format!("count(ALERTS{{alertname={:?}, alertstate=\"firing\"}}) or vector(0)", case.alert);
            json!({
                "name": format!("{}: {}", case.alert, case.when),
                "interval": "1m",
                "input_series": series,
                "promql_expr_test": [{
                    "expr": firing, "eval_time": case.at, "exp_samples": [{"labels": "{}", "value": case.firing}],
                }],
            })
        })
        .collect();
    json!({"rule_files": [rules], "evaluation_interval": "1m", "tests": tests})
}

fn tested(name: &str, cases: &[&Case]) -> Output {
    std::fs::create_dir_all(run_dir()).unwrap();
    let file = run_dir().join(name);
    // JSON is YAML.
    std::fs::write(&file, tests(&root().join(RULES), cases).to_string()).unwrap();
    checked(&["test", "rules"], file)
}

#[test]
fn the_files_of_rules_are_those_of_the_program() {
    for (args, path) in [
        (&["monitoring", "rules"][..], RULES),
        (
            &["monitoring", "rules", "--format", "prometheus-rule"],
            "manifests/monitoring/prometheus-operator/prometheus-rule.yaml",
        ),
    ] {
        let generated = String::from_utf8(run(args).stdout).unwrap();
        let checked_in = std::fs::read_to_string(root().join(path)).unwrap_or_default();
        assert!(
            generated == checked_in,
            "{path} is out of date: run `make generate`"
        );
    }
}

#[test]
fn prometheus_takes_the_rules() {
    let output = checked(
        &["check", "rules", "--lint=all", "--lint-fatal"],
        root().join(RULES),
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn each_alert_fires_when_it_should_and_at_no_other_time() {
    let output = tested("alerts.yaml", &CASES.iter().collect::<Vec<_>>());
    let mut found = String::from_utf8_lossy(&output.stdout).into_owned();
    found.push_str(&String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{found}");
}

#[test]
fn each_alert_has_a_case_that_fires_and_two_that_do_not() {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for case in CASES {
        let (firing, quiet) = counts.entry(case.alert).or_default();
        *(if case.firing > 0 { firing } else { quiet }) += 1;
    }
    let mut lacking = String::new();
    for alert in shipped() {
        let name = alert["alert"].as_str().unwrap();
        let (firing, quiet) = counts.get(name).copied().unwrap_or_default();
        if firing < 1 || quiet < 2 {
            // Writing to a String cannot fail.
            let _ = writeln!(
                lacking,
                "{name} has {firing} cases that fire and {quiet} that do not"
            );
        }
    }
    assert!(lacking.is_empty(), "{lacking}");
}

#[test]
fn a_case_that_is_wrong_is_found() {
    let wrong = Case {
        firing: 0,
        ..CASES[0]
    };
    assert!(CASES[0].firing > 0);
    assert!(!tested("wrong.yaml", &[&wrong]).status.success());
}

#[test]
fn each_alert_has_its_runbook_and_each_runbook_its_alert() {
    let folder = root().join("docs/runbooks");
    let mut books: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    books.sort();
    let mut wanted: Vec<String> = shipped()
        .iter()
        .map(|alert| {
            let url = alert["annotations"]["runbook_url"].as_str().unwrap();
            url.rsplit('/').next().unwrap().to_owned()
        })
        .collect();
    wanted.sort();
    wanted.dedup();
    assert_eq!(books, wanted);
}

#[test]
fn the_component_for_the_prometheus_operator_scrapes_both_services_and_brings_the_rules() {
    let folder = run_dir().join("monitored");
    std::fs::create_dir_all(&folder).unwrap();
    // kustomize takes relative paths alone.
    let up = "../".repeat(folder.strip_prefix(root()).unwrap().components().count());
    let file = format!(
        "resources: [{up}manifests/install]\ncomponents: [{up}manifests/monitoring/prometheus-operator]\n"
    );
    std::fs::write(folder.join("kustomization.yaml"), file).unwrap();
    let rendered = Kustomization::render(&folder);
    for name in ["vas-operator", "vas-metrics-server"] {
        let monitor = rendered.find("ServiceMonitor", name).expect("a monitor");
        let service = rendered.find("Service", name).expect("the Service");
        let chosen = &monitor["spec"]["selector"]["matchLabels"];
        for (label, value) in chosen.as_object().expect("labels") {
            assert_eq!(service["metadata"]["labels"][label], *value);
        }
        let endpoint = json!([{"port": "metrics", "honorLabels": true}]);
        assert_eq!(monitor["spec"]["endpoints"], endpoint);
        let ports = service["spec"]["ports"].as_array().expect("ports");
        assert!(ports.iter().any(|port| port["name"] == "metrics"));
    }
    let rule = rendered.find("PrometheusRule", "vas").expect("the rules");
    let groups = rule["spec"]["groups"].as_array().expect("groups");
    let alerts: usize = groups
        .iter()
        .map(|group| group["rules"].as_array().unwrap().len())
        .sum();
    assert_eq!(alerts, shipped().len());
}
