//! The demo's environment equals that of production except for windows and periods, and vas accepts the
//! scenarios of its users.

use serde_json::Value;

use support::{cluster::run_dir, kustomization::Kustomization, vas};

/// The fields of an HPA's behavior that the demo shortens.
const SHORTENED: [&str; 2] = ["periodSeconds", "stabilizationWindowSeconds"];

#[test]
fn the_demo_scales_as_production_does_only_sooner() {
    let overlay = Kustomization::render("tests/demo/overlay");
    let scaling = overlay
        .find("VoiceAssistScaling", "voiceassist")
        .expect("the overlay has the resource");
    let file = run_dir().join("demo-overlay.json");
    std::fs::create_dir_all(run_dir()).expect("a folder for the run");
    std::fs::write(&file, scaling.to_string()).expect("the resource can be written");
    let children = |environment: &str| {
        let file = file.to_string_lossy();
        let output = vas::run(&["render", "-f", &file, "--environment", environment]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let yaml = String::from_utf8(output.stdout).expect("vas writes UTF-8");
        serde_saphyr::from_multiple::<Value>(&yaml).expect("vas writes YAML")
    };
    let (mut production, mut demo) = (children("production"), children("demo"));
    assert_ne!(production, demo, "the demo shortens something");
    for child in production.iter_mut().chain(&mut demo) {
        forget(child);
    }
    assert_eq!(production, demo);
}

#[test]
fn the_demo_s_users_send_what_the_story_says() {
    for (scenario, load) in [
        ("quiet", "stages    60 for 1h"),
        ("ramp", "60 to 900 in 12s"),
        ("peak", "stages    900 for 1h"),
    ] {
        let file = format!("tests/demo/users/{scenario}.yaml");
        let output = vas::run(&["test", "run", &file, "--target=http://localhost", "--dry-run"]);
        let plan = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(plan.contains(load), "{plan}");
    }
}

/// Removes the shortened fields, wherever they are.
fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !SHORTENED.contains(&name.as_str()));
            fields.values_mut().for_each(forget);
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}
