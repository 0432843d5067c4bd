//! `vas simulate --optimize`: the command that it prints changes a resource of a real API server, unless somebody else
//! changed it meanwhile.

use std::{
    env, fs,
    process::{Command, Output},
};

use serde_json::{Value, json};

use super::file;
use crate::operator::fixture::{resource, workload};
use support::{
    Cluster,
    cluster::bin,
    namespace::Namespace,
    vas::{administer, run},
};

/// Fourteen hours of waves between 150 and 850 requests per second, each an hour long.
fn waves() -> String {
    let rows = (0..840).map(|minute| {
        let wave = (f64::from(minute) / 60.0 * std::f64::consts::TAU).sin();
        format!("{},{:.1}\n", 1_772_359_200 + 60 * minute, 500.0 + 350.0 * wave)
    });
    format!("time,value\n{}", rows.collect::<String>())
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a line of a shell that begins with kubectl.
fn shell(cluster: &Cluster, line: &str) -> Output {
    let kubectl = bin("kubectl");
    let path = format!(
        "{}:{}",
        kubectl.parent().unwrap().display(),
        env::var("PATH").unwrap_or_default()
    );
    Command::new("sh")
        .args(["-c", line])
        .env("KUBECONFIG", cluster.kubeconfig())
        .env("PATH", path)
        .output()
        .unwrap()
}

#[test]
fn the_printed_command_makes_the_recommended_resource_unless_it_was_changed_meanwhile() {
    let cluster = Cluster::shared();
    let namespace = Namespace::create(cluster, "optimized");
    let mut web = workload("web");
    web["maxReplicas"] = json!(20);
    let rate = |target: Value| json!([{"name": "rate", "requestRate": {"counter": "http_requests_total", "target": {"averageValue": target}}}]);
    web["metrics"] = rate(json!("70"));
    let mut resource = resource("v", &[workload("idle"), web]);
    resource["spec"]["environment"] = json!("production");
    // The target is a number here, and it stays one where the API server stores it.
    resource["spec"]["environments"] = json!([
        {"name": "dev"},
        {"name": "production", "workloads": [{"name": "web", "metrics": rate(json!(95))}]},
    ]);
    namespace.apply(&resource.to_string());
    let stored = namespace.object("vas", "v").unwrap()["spec"].clone();

    let (load, report) = (file("waves.csv", &waves()), file("optimized.json", ""));
    let optimize = || {
        let output = administer(
            cluster,
            &[
                "simulate",
                "v",
                "-n",
                namespace.name(),
                "--workload=web",
                &format!("--load={}", load.display()),
                "--capacity=100",
                "--time-to-ready=60s",
                "--optimize",
                "--max-short=1%",
                "--runs=60",
                &format!("-o=json={}", report.display()),
            ],
        );
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        assert!(words(&output).contains("optimize: "), "{}", words(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = optimize();
    let line = text.lines().last().unwrap();
    let wanted = format!("kubectl patch vas v -n {} --type json -p '[", namespace.name());
    assert!(line.starts_with(&wanted), "{text}");
    let report: Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    let found = &report["optimization"];
    let position = usize::try_from(found["recommendation"]["point"].as_u64().unwrap()).unwrap();
    let point = &found["front"][position];
    assert!(point["judged"]["short"].as_f64().unwrap() <= 0.01, "{point}");
    let paths: Vec<&str> = found["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths[..2],
        [
            "/spec/environments/1/workloads/0/metrics/0/requestRate/target/averageValue",
            "/spec/workloads/1/minReplicas"
        ]
    );

    for environment in ["dev", "production"] {
        namespace.patch("vas", "v", &json!({"spec": {"environment": environment}}));
        // What was changed and changed back has another generation.
        let refused = shell(cluster, line);
        assert!(!refused.status.success());
        let told = words(&refused);
        assert!(told.contains("The request is invalid"), "{told}");
    }
    let before = namespace.object("vas", "v").unwrap()["spec"].clone();
    // Nothing of what was refused is there.
    for field in ["workloads", "environments"] {
        assert_eq!(before[field], stored[field]);
    }
    let again = optimize();
    let line = again.lines().last().unwrap();
    let patched = shell(cluster, line);
    assert!(patched.status.success(), "{}", words(&patched));
    let after = namespace.object("vas", "v").unwrap();
    assert_ne!(after["spec"], before);
    let (values, now) = (&point["values"], &found["current"]["values"]);
    for (position, path) in paths.iter().enumerate() {
        let wanted = &values[position];
        let unchanged = json!({"spec": before});
        let expected = if *wanted == now[position] {
            unchanged.pointer(path)
        } else {
            Some(wanted)
        };
        assert_eq!(after.pointer(path), expected, "{path}");
    }
    // It was found for what is gone now.
    assert!(!shell(cluster, line).status.success());
}

#[test]
fn a_plain_hpa_and_goals_without_a_search_are_refused() {
    let hpa = file(
        "optimized-hpa.yaml",
        "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 20
  metrics:
  - {type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: '70'}}}
",
    );
    let load = file("optimized-hpa.csv", &waves());
    let simulate = |more: &[&str]| {
        let (hpa, load) = (hpa.display().to_string(), load.display().to_string());
        let output = run(&[&["simulate", "-f", &hpa, "--load", &load], more].concat());
        assert!(output.stdout.is_empty(), "{output:?}");
        (output.status.code(), words(&output))
    };
    let (code, words) = simulate(&["--optimize"]);
    assert_eq!(code, Some(2), "{words}");
    assert!(
        words.contains("--optimize: the first policy is a plain HPA"),
        "{words}"
    );
    for (flags, told) in [
        (["--max-short", "1%"].as_slice(), "--optimize"),
        (&["--optimize", "--max-short", "1"], "2m/day"),
        (
            &["--optimize", "--max-short", "1%", "--max-cost", "5"],
            "cannot be used with",
        ),
        (&["--optimize", "--max-cost=-5"], "--max-cost"),
        (&["--optimize", "--runs", "0"], "--runs"),
    ] {
        let (code, words) = simulate(flags);
        assert_eq!(code, Some(2), "{words}");
        assert!(words.contains(told), "{words}");
    }
}
