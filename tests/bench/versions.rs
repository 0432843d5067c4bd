//! Versions of the programs that run, for the report.

use std::{path::Path, process::Command};

use crate::arguments::Peer;
use support::cluster::bin;

/// All versions in one line.
pub(crate) fn versions(peers: &[Peer]) -> String {
    let mut versions = vec![
        format!(
            "vas at {}",
            first_line(Path::new("git"), &["describe", "--always", "--dirty"])
        ),
        first_line(&bin("kube-apiserver"), &["--version"]),
        format!(
            "Prometheus (Go module v{})",
            pinned(
                include_str!("../cluster/tools/prometheus/go.mod"),
                "github.com/prometheus/prometheus"
            )
        ),
    ];
    if peers.contains(&Peer::PrometheusAdapter) {
        let modules = include_str!("peers/prometheus-adapter/go.mod");
        let version = pinned(modules, "sigs.k8s.io/prometheus-adapter");
        versions.push(format!("prometheus-adapter {version}"));
    }
    if peers.contains(&Peer::Keda) {
        let version = pinned(include_str!("peers/keda/go.mod"), "github.com/kedacore/keda/v2");
        versions.push(format!("KEDA {version}"));
    }
    versions.push(first_line(Path::new("rustc"), &["--version"]));
    versions.join(", ")
}

fn first_line(program: &Path, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().ok();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.and_then(|text| Some(text.lines().next()?.trim().to_owned()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The version of a module that a `go.mod` requires, without its `v`.
fn pinned<'a>(modules: &'a str, name: &str) -> &'a str {
    let required = |line: &'a str| {
        let line = line.trim();
        let line = line.strip_prefix("require ").unwrap_or(line);
        line.strip_prefix(name)?.trim_start().strip_prefix('v')
    };
    let version = modules.lines().find_map(required);
    version
        .and_then(|version| version.split_whitespace().next())
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_module_that_is_named_and_no_other() {
        let modules = "require x.io/a/b v3.0.0\n\nrequire (\n\tx.io/a/more v1.0.0 // indirect\n\tx.io/a v2.20.2 // indirect\n)\n";
        assert_eq!(pinned(modules, "x.io/a"), "2.20.2");
        assert_eq!(pinned(modules, "x.io/a/b"), "3.0.0");
        assert_eq!(pinned(modules, "x.io/none"), "unknown");
    }
}
