//! What `vas render` prints for the shipped example, file by file.
//!
//! After an intended change: `UPDATE_GOLDEN=1 cargo test -p vas-tests golden`, then read the diff.

use support::{cluster::root, vas::run};

#[track_caller]
fn compare(name: &str, environment: &[&str]) {
    let mut args = vec!["render", "-f", "manifests/voiceassist/voiceassistscaling.yaml"];
    args.extend(environment);
    let output = run(&args);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let rendered = String::from_utf8(output.stdout).unwrap();
    let path = root().join("tests/golden").join(format!("render-{name}.yaml"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &rendered).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let difference = rendered
        .lines()
        .zip(golden.lines())
        .position(|(new, old)| new != old);
    assert!(
        rendered == golden,
        "{} differs from line {} on; if that is meant: UPDATE_GOLDEN=1 cargo test -p vas-tests golden",
        path.display(),
        difference.map_or_else(|| golden.lines().count() + 1, |line| line + 1)
    );
}

#[test]
fn base_values() {
    compare("base", &[]);
}

#[test]
fn dev() {
    compare("dev", &["--environment", "dev"]);
}

#[test]
fn staging() {
    compare("staging", &["--environment", "staging"]);
}

#[test]
fn production() {
    compare("production", &["--environment", "production"]);
}
