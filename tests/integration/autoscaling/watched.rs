//! `vas test run --watch`: replicas beside any load.

use serde_json::Value;

use super::scene::Scene;
use support::vas;

#[tokio::test]
async fn any_run_can_watch_a_workload_and_ask_whether_its_memory_grows() {
    let scene = Scene::set("autoscaling-watch").await;
    let folder = std::env::temp_dir().join(format!("vas-watched-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("report.json");
    let run = |watched: &str| {
        let arguments = [
            "test".to_owned(),
            "run".to_owned(),
            format!("--target=http://{}/health", scene.model.service()),
            "--rate=5".to_owned(),
            "--duration=5s".to_owned(),
            "--threshold=trend < 100%/h".to_owned(),
            format!("--watch={watched}"),
            format!("--namespace={}", scene.operated.namespace.name()),
            format!("--kubeconfig={}", scene.operated.cluster.kubeconfig().display()),
            format!("--output=json={}", file.display()),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        vas::run(&arguments)
    };
    let output = run("voice");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap_or_default()).unwrap_or_default();
    let unknown = run("other");
    std::fs::remove_dir_all(&folder).unwrap();

    // Five seconds are too few for a trend, and a threshold that cannot be measured fails. Exit code 3: the
    // other tests starved the generator.
    assert!(matches!(output.status.code(), Some(99 | 3)), "{words}");
    assert!(words.contains("2 of 2 replicas Ready"), "{words}");
    let checks = report["checks"].to_string();
    assert!(checks.contains("memory trend < 100%/h"), "{checks}");
    assert_eq!(
        report["workloads"][0]["target"], "deployment/api-gateway",
        "{report}"
    );
    let words = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert_eq!(unknown.status.code(), Some(4), "{words}");
}
