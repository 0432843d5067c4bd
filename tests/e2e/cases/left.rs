//! What a cluster with real nodes leaves on the machine when its launcher is killed with SIGKILL: nothing.

use std::{path::Path, process::Command, time::Duration};

use support::eventually;

use crate::stage::Stage;

/// Kills the launcher, and looks for processes, mounts, links, routes and cgroups.
pub(crate) async fn nothing(stage: Stage) -> String {
    let dir = stage.cluster.dir().to_owned();
    let before = left(&dir);
    for kind in ["process", "cgroup", "link", "route"] {
        let found = before.iter().any(|thing| thing.starts_with(kind));
        assert!(
            found,
            "the search finds no {kind} while the cluster runs: {before:?}"
        );
    }
    let pid = std::fs::read_to_string(dir.join("pid")).expect("the launcher's process id");
    let killed = Command::new("kill").args(["-9", pid.trim()]).status();
    assert!(killed.is_ok_and(|status| status.success()), "kill -9 {pid}");
    eventually(Duration::from_secs(60), "nothing is left", || async {
        let left = left(&dir);
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    })
    .await;
    format!("kill -9 of the launcher left nothing of {} things", before.len())
}

/// What there is of the cluster in this folder.
fn left(dir: &Path) -> Vec<String> {
    let name = dir.to_string_lossy();
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let is_own = process.file_name().to_str() == Some(&std::process::id().to_string());
        let program = line.split(' ').next().unwrap_or_default();
        if !is_own && (line.contains(&*name) || program.contains("containerd-shim")) {
            found.push(format!("process {line}"));
        }
    }
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let own = |line: &&str| line.contains(&*name) || line.contains("/run/containerd");
    found.extend(mounts.lines().filter(own).map(|line| format!("mount {line}")));
    let links = std::fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten();
    let links = links.map(|link| link.file_name().to_string_lossy().into_owned());
    found.extend(
        links
            .filter(|link| link.starts_with("vas-"))
            .map(|link| format!("link {link}")),
    );
    let routes = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let own = |line: &&str| line.starts_with("vas-");
    found.extend(routes.lines().filter(own).map(|line| format!("route {line}")));
    for hierarchy in std::fs::read_dir("/sys/fs/cgroup")
        .into_iter()
        .flatten()
        .flatten()
    {
        let groups = std::fs::read_dir(hierarchy.path())
            .into_iter()
            .flatten()
            .flatten();
        let groups = groups.chain(std::iter::once(hierarchy));
        let names = groups.map(|group| group.path().to_string_lossy().into_owned());
        let own = |path: &String| {
            path.rsplit('/')
                .next()
                .is_some_and(|name| name.starts_with("vas-node-"))
        };
        found.extend(names.filter(own).map(|path| format!("cgroup {path}")));
    }
    found
}
