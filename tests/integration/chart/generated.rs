//! What `make generate` writes into the chart and the manifests is what it would write now.

use std::process::Command;

use support::{
    chart,
    cluster::{root, run_dir},
    kustomization::Kustomization,
};

/// The version of all crates, and so of the image.
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_definition_in_the_chart_is_the_one_of_the_types() {
    assert!(
        read("charts/vas/files/voiceassistscalings.yaml") == read("crds/voiceassistscalings.yaml"),
        "make generate"
    );
}

#[test]
fn the_version_is_the_same_wherever_it_stands() {
    let chart = read("charts/vas/Chart.yaml");
    for line in [format!("version: {VERSION}"), format!("appVersion: {VERSION}")] {
        assert!(chart.lines().any(|found| found == line), "{line}: make generate");
    }
    let image = format!("voiceassist/vas:{VERSION}");
    for folder in ["manifests/install", "manifests/load-tests"] {
        let text = format!("{:?}", Kustomization::render(folder).objects());
        assert!(
            text.contains(&image),
            "{folder} does not run {image}: make generate"
        );
        assert_eq!(
            text.matches("voiceassist/vas").count(),
            text.matches(&image).count(),
            "{folder} runs something else than {image}"
        );
    }
}

#[test]
fn a_release_makes_manifests_and_chart_run_its_very_image() {
    let checkout = run_dir().join("released");
    let copied = Command::new("sh")
        .args(["-c", "mkdir -p $0 && cp -r manifests charts crds image $0"])
        .arg(&checkout)
        .current_dir(root())
        .status();
    assert!(copied.is_ok_and(|status| status.success()));
    let digest = format!("sha256:{}", "a".repeat(64));
    let pin = || {
        let mut pin = Command::new(checkout.join("image/pin.sh"));
        pin.args(["ghcr.io/team/vas", &digest])
            .output()
            .expect("sh starts")
    };
    let pinned = pin();
    assert!(
        pinned.status.success(),
        "{}",
        String::from_utf8_lossy(&pinned.stderr)
    );
    let image = format!("ghcr.io/team/vas@{digest}");
    for rendered in [
        Kustomization::render(checkout.join("manifests/install")),
        Kustomization::render(checkout.join("manifests/load-tests")),
        chart::rendered_from(&checkout.join(chart::CHART), &[]),
    ] {
        let text = format!("{:?}", rendered.objects());
        let folder = rendered.folder().display();
        assert!(text.contains(&image), "{folder} does not run {image}");
        assert!(
            !text.contains("voiceassist/vas"),
            "{folder} runs something else too"
        );
    }
    assert!(!pin().status.success(), "what is pinned already was pinned again");
}
