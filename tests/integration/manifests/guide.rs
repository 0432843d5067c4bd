//! Tests of docs/install.md: its commands are run, and its kustomizations are rendered as they are written
//! there.

use std::{path::Path, process::Command};

use support::{
    Cluster,
    cluster::{bin, root, run_dir},
    kustomization::Kustomization,
    vas,
};

/// The text under a heading of docs/install.md.
#[track_caller]
fn section(heading: &str) -> String {
    let guide = std::fs::read_to_string(root().join("docs/install.md")).expect("docs/install.md");
    let title = format!("\n## {heading}\n");
    let (_, section) = guide
        .split_once(&title)
        .unwrap_or_else(|| panic!("no heading {heading}"));
    section.split("\n## ").next().unwrap_or(section).to_owned()
}

/// The blocks of a language under a heading.
#[track_caller]
fn blocks(heading: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let blocks: Vec<String> = section(heading)
        .split(&opening)
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .map(str::to_owned)
        .collect();
    assert!(!blocks.is_empty(), "no {language} under {heading}");
    blocks
}

/// The lines of the `sh` blocks under a heading.
#[track_caller]
pub(super) fn commands(heading: &str) -> Vec<String> {
    let blocks = blocks(heading, "sh");
    blocks
        .iter()
        .flat_map(|block| block.lines())
        .map(str::to_owned)
        .collect()
}

/// A kustomization of the user's own, as the guide shows it under a heading, in a directory of this run. The
/// first lines, which are the same for all kustomizations, are added.
#[track_caller]
pub(super) fn kustomization(heading: &str) -> Kustomization {
    let folder = run_dir().join(heading.to_lowercase().replace(' ', "-"));
    std::fs::create_dir_all(&folder).expect("a folder for the kustomization");
    let below = folder
        .strip_prefix(root())
        .expect("a run's folder lies in the checkout");
    let up = "../".repeat(below.components().count());
    let mut text = blocks(heading, "yaml").concat();
    if !text.contains("resources:") {
        text.push_str("resources: [../voiceassist-scaling/manifests/install]\n");
    }
    let text = text.replace("../voiceassist-scaling/", &up);
    std::fs::write(folder.join("kustomization.yaml"), text).expect("a kustomization can be written");
    Kustomization::render(folder)
}

/// Runs one command line as the administrator would, in the checkout, with kubectl and vas at hand; panics if it fails or if kubectl has
/// anything to say on standard error, such as a warning.
#[track_caller]
pub(super) fn run(cluster: &Cluster, command: &str) -> String {
    let kubectl = bin("kubectl");
    let folder = kubectl.parent().expect("kubectl lies in a folder");
    let vas = vas::binary();
    let of_vas = Path::new(&vas)
        .parent()
        .expect("vas lies in a folder")
        .display()
        .to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", command])
        .env("KUBECONFIG", cluster.kubeconfig())
        .env("PATH", format!("{}:{of_vas}:{path}", folder.display()))
        .current_dir(root())
        .output()
        .expect("sh starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stderr.is_empty(),
        "{command}: {stderr}"
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
