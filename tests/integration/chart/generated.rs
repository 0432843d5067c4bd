//! What `make generate` writes into the chart and the manifests is what it would write now.

use support::{cluster::root, kustomization::Kustomization};

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
    // These are read by people, who have them right or not at all.
    for page in ["docs/install.md", "docs/examples/github-load-test.yaml"] {
        for found in read(page).split("voiceassist/vas:").skip(1) {
            assert!(found.starts_with(VERSION), "{page} names another version");
        }
    }
}
