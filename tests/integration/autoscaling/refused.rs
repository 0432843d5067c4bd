//! A test that would prove nothing is not begun: exit code 4, with all reasons against it.

use serde_json::json;

use super::scene::Scene;
use support::vas;

fn refused(scene: &Scene, more: &[&str], expected: &[&str]) {
    let output = scene.run(&[more, &["--steady-timeout=5s"]].concat());
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{words}");
    for part in expected {
        assert!(words.contains(part), "{part:?} in {words}");
    }
}

#[tokio::test]
async fn what_would_make_the_test_worthless_is_told_before_anything_is_sent() {
    let scene = Scene::set("autoscaling-refused").await;
    let namespace = &scene.operated.namespace;
    refused(&scene, &["--replicas=11"], &["maxReplicas 10"]);

    let quota = r#"{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": {"pods": "6"}}}"#;
    namespace.apply(quota);
    refused(&scene, &[], &["no room for 10 replicas", "ResourceQuota team"]);
    namespace.delete("resourcequota", "team");

    // A dry run checks the preconditions, prints the plan, and sends nothing.
    let output = scene.run(&["--dry-run"]);
    let plan = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(plan.contains("autoscaling of voice/api-gateway"), "{plan}");

    let suspend = json!([{"op": "add", "path": "/spec/workloads/0/suspend", "value": true}]);
    namespace.patch("voiceassistscaling", "voice", &suspend);
    scene
        .operated
        .field_becomes(
            "hpa",
            "voice-api-gateway",
            "/spec/behavior/scaleUp/selectPolicy",
            json!("Disabled"),
        )
        .await;
    refused(&scene, &[], &["voice-api-gateway is suspended"]);

    namespace.label(&json!({"environment": "production"}));
    refused(&scene, &[], &["is production", "--allow-production"]);
}

#[tokio::test]
async fn a_resource_that_is_not_there_and_a_load_that_is_not_known_are_told_as_such() {
    let scene = Scene::set("autoscaling-unknown").await;
    let mut arguments = scene.arguments(&[]);
    arguments[2] = "other".to_owned();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = vas::run(&arguments);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{words}");
    assert!(words.contains("VoiceAssistScaling other"), "{words}");

    // A journey has several requests here, so the load that a pod carries is not a number of journeys.
    let output = scene.run(&["--scenario=api-journey"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(words.contains("--peak-rate"), "{words}");
}
