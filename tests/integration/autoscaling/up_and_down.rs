//! From two pods to ten and back, with the time of each link of the chain.

use std::{path::Path, process::Output, time::Duration};

use serde_json::Value;

use super::scene::Scene;
use support::{cluster::root, eventually, process::Signal, vas};

#[tokio::test]
async fn two_pods_become_ten_and_two_again_and_every_link_has_its_time() {
    let scene = Scene::set("autoscaling-run").await;
    let folder = std::env::temp_dir().join(format!("vas-autoscaling-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("report.json");
    let output = format!("--output=json={}", file.display());
    // All tests share the machine, so latency is not asserted here.
    let more = [
        "--before=5s",
        "--ramp=20s",
        "--hold=60s",
        "--threshold=latency p95 < 10s",
        "--threshold=errors < 5%",
        &output,
    ];
    let mut test = vas::start("autoscaling", &scene.arguments(&more), &[]);
    let status = test.wait(Duration::from_secs(400)).await;
    let log = test.log();
    let report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap_or_default()).unwrap_or_default();
    let simulated = simulate_by(&file);
    std::fs::remove_dir_all(&folder).unwrap();
    // Exit code 3: the other tests starved the generator. What is asserted of replicas holds all the same.
    assert!(matches!(status.code(), Some(0 | 3)), "{status:?}: {log}");

    let checks: Vec<(&str, bool)> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            (
                check["name"].as_str().unwrap(),
                check["passed"].as_bool().unwrap(),
            )
        })
        .collect();
    for expected in [
        "2 to 10 Ready pods in < 5m",
        "no flapping",
        "PodDisruptionBudget respected",
    ] {
        assert!(checks.contains(&(expected, true)), "{expected:?} in {checks:?}");
    }
    assert!(
        checks
            .iter()
            .any(|(name, passed)| name.starts_with("back at 2 replicas in <") && *passed),
        "{checks:?}"
    );
    for news in ["HPA wants", "10 of 10 replicas are Ready", "scaling down: "] {
        assert!(log.contains(news), "{news:?} in {log}");
    }

    let workload = &report["workloads"][0];
    assert_eq!(workload["max_replicas"], 10, "{workload}");
    let chains = workload["chains"].as_array().unwrap();
    assert!(!chains.is_empty(), "{workload}");
    for chain in chains {
        let moments: Vec<f64> = chain["links"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|link| link["kind"] != "recovered")
            .map(|link| link["at"].as_f64().unwrap_or(f64::NAN))
            .collect();
        assert_eq!(moments.len(), 7, "{chain}");
        assert!(
            moments.is_sorted(),
            "from the load to Ready, each in its order: {chain}"
        );
    }
    let words = String::from_utf8_lossy(&simulated.stdout);
    assert_eq!(simulated.status.code(), Some(0), "{simulated:?}");
    assert!(
        words.contains("- The time to Ready is that of 8 pods in "),
        "{words}"
    );
}

/// Replays the load of a report with the times to Ready that it has measured.
fn simulate_by(report: &Path) -> Output {
    let shipped = root().join("manifests/voiceassist/voiceassistscaling.yaml");
    let arguments = [
        "simulate".to_owned(),
        format!("-f={}", shipped.display()),
        "--workload=api-gateway".to_owned(),
        format!("--load={}", report.display()),
        format!("--time-to-ready={}", report.display()),
        "--warm-up=1s".to_owned(),
    ];
    vas::run(&arguments.each_ref().map(String::as_str))
}

#[tokio::test]
async fn an_interrupted_test_reports_what_was_seen_and_changes_nothing() {
    let scene = Scene::set("autoscaling-int").await;
    let before = scene.operated.get("voiceassistscaling", "voice").unwrap();
    let mut test = vas::start("autoscaling", &scene.arguments(&["--before=30s"]), &[]);
    eventually(Duration::from_secs(60), "the test sends its load", || async {
        let log = test.log();
        if log.contains("quiet: 2 of 2 replicas Ready") {
            Ok(())
        } else {
            Err(log)
        }
    })
    .await;
    test.signal(Signal::Interrupt);
    let status = test.wait(Duration::from_secs(60)).await;
    assert_eq!(status.code(), Some(130), "{}", test.log());
    assert!(test.log().contains("stopped after"), "{}", test.log());
    let after = scene.operated.get("voiceassistscaling", "voice").unwrap();
    assert_eq!(before["spec"], after["spec"]);
    assert_eq!(
        before["metadata"]["annotations"],
        after["metadata"]["annotations"]
    );
}
