//! The commands of docs/install.md, run as they stand there.

use std::process::Command;

use crate::support::{
    Cluster,
    cluster::{bin, root},
};

/// The lines of the `sh` blocks under a heading of docs/install.md.
#[track_caller]
pub fn commands(heading: &str) -> Vec<String> {
    let guide = std::fs::read_to_string(root().join("docs/install.md")).expect("docs/install.md");
    let title = format!("\n## {heading}\n");
    let section = guide
        .split_once(&title)
        .unwrap_or_else(|| panic!("no heading {heading}"))
        .1;
    let section = section.split("\n## ").next().unwrap_or(section);
    let commands: Vec<String> = section
        .split("```sh\n")
        .skip(1)
        .flat_map(|block| block.split("```").next().unwrap_or(block).lines())
        .map(str::to_owned)
        .collect();
    assert!(!commands.is_empty(), "no commands under {heading}");
    commands
}

/// Runs one command line as the administrator would, in the checkout; panics if it fails or if kubectl has
/// anything to say on standard error, such as a warning.
#[track_caller]
pub fn run(cluster: &Cluster, command: &str) -> String {
    let kubectl = bin("kubectl");
    let folder = kubectl.parent().expect("kubectl lies in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", command])
        .env("KUBECONFIG", cluster.kubeconfig())
        .env("PATH", format!("{}:{path}", folder.display()))
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
