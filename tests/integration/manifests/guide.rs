//! Tests of docs/install.md: its commands are run, and its kustomizations are rendered as they are written
//! there.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

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
pub(crate) fn commands(heading: &str) -> Vec<String> {
    let blocks = blocks(heading, "sh");
    blocks
        .iter()
        .flat_map(|block| block.lines())
        .map(str::to_owned)
        .collect()
}

/// A kustomization of the user's own, as the guide shows it under a heading. Files in folders below begin with their path.
#[track_caller]
pub(crate) fn kustomization(heading: &str) -> Kustomization {
    let folder = fresh_folder();
    let (below, own): (Vec<_>, Vec<_>) = blocks(heading, "yaml")
        .into_iter()
        .partition(|block| path_below(block).is_some());
    for block in &below {
        let file = folder.join(path_below(block).unwrap_or_default());
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder below");
        let text = block.replace("../voiceassist-scaling/", &way_up(&folder));
        std::fs::write(file, text).expect("a kustomization can be written");
    }
    written(folder, &own.concat())
}

/// A kustomization of the user's own with these lines, such as a list of components.
#[track_caller]
pub(crate) fn rendered_with(lines: &str) -> Kustomization {
    written(fresh_folder(), lines)
}

/// Writes and renders a kustomization. The first lines, which are the same for all kustomizations, are added.
#[track_caller]
fn written(folder: PathBuf, lines: &str) -> Kustomization {
    let mut text = lines.to_owned();
    if !text.contains("resources:") {
        text.push_str("resources: [../voiceassist-scaling/manifests/install]\n");
    }
    let text = text.replace("../voiceassist-scaling/", &way_up(&folder));
    std::fs::write(folder.join("kustomization.yaml"), text).expect("a kustomization can be written");
    Kustomization::render(folder)
}

/// A folder for one kustomization, which no other test writes while kubectl reads it.
fn fresh_folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = run_dir().join("kustomizations").join(number.to_string());
    std::fs::create_dir_all(&folder).expect("a folder for the kustomization");
    folder
}

/// The path of a file below `my-install`, which is in its first line.
fn path_below(block: &str) -> Option<&str> {
    let path = block.lines().next()?.strip_prefix("# my-install/")?;
    (path != "kustomization.yaml").then_some(path)
}

/// The way from a folder of this run to the checkout.
fn way_up(folder: &Path) -> String {
    let below = folder
        .strip_prefix(root())
        .expect("a run's folder lies in the checkout");
    "../".repeat(below.components().count())
}

/// Runs one command line as the administrator would, in the checkout, with kubectl and vas at hand; panics if it fails or if kubectl has
/// anything to say on standard error, such as a warning.
#[track_caller]
pub(crate) fn run(cluster: &Cluster, command: &str) -> String {
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
