//! `vas simulate NAME`: the HPA that is live beside what the resource asks for.

use serde_json::{Value, json};

use super::{file, load};
use crate::operator::fixture::{Operated, deployment, resource, workload};
use support::{process::Signal, vas::administer};

#[tokio::test]
async fn the_live_hpa_is_replayed_beside_what_the_resource_asks_for() {
    let operated = Operated::start("simulated");
    operated.namespace.apply(&deployment("worker", 2));
    let mut worker = workload("worker");
    worker["maxReplicas"] = json!(20);
    let rate = |target: &str| json!([{"name": "rate", "requestRate": {"counter": "http_requests_total", "target": {"averageValue": target}}}]);
    worker["metrics"] = rate("70");
    operated
        .namespace
        .apply(&resource("v", &[worker.clone()]).to_string());
    operated.appears("hpa", "v-worker").await;
    // From here on nobody brings the HPA in line with the resource.
    operated.operator.signal(Signal::Kill);
    worker["metrics"] = rate("35");
    operated.namespace.apply(&resource("v", &[worker]).to_string());

    let (load, report) = (file("live.csv", &load()), file("live.json", ""));
    let (load, report) = (load.display().to_string(), report.display().to_string());
    let namespace = operated.namespace.name();
    let simulate = |name: &str| {
        let output = format!("json={report}");
        let words = [
            "simulate",
            name,
            "-n",
            namespace,
            "--load",
            &load,
            "--capacity",
            "100",
            "-o",
            &output,
        ];
        administer(operated.cluster, &words)
    };
    let output = simulate("v");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    let policies = report["policies"].as_array().unwrap();
    let names: Vec<&str> = policies
        .iter()
        .map(|policy| policy["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["current", "resource", "optimum"]);
    let mean = |policy: usize| policies[policy]["mean_replicas"].as_f64().unwrap();
    assert!(
        mean(1) > 1.5 * mean(0),
        "half of the target takes twice the replicas: {report}"
    );

    let output = simulate("nobody");
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(
        words.contains("VoiceAssistScaling nobody in") && words.contains("not found"),
        "{words}"
    );
}
