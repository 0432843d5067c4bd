//! The documents: generated pages are those of this program, links lead somewhere, and the README keeps its length.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use support::{cluster::root, vas::run};

/// Most lines of the README.
const README_LINES: usize = 120;

#[test]
fn the_reference_pages_are_those_of_the_program() {
    for page in ["resource", "cli", "conditions"] {
        let generated = String::from_utf8(run(&["reference", page]).stdout).unwrap();
        let path = format!("docs/reference/{page}.md");
        let checked_in = std::fs::read_to_string(root().join(&path)).unwrap_or_default();
        assert!(
            generated == checked_in,
            "{path} is out of date: run `make generate`"
        );
    }
}

#[test]
fn the_reference_of_metrics_is_that_of_the_program() {
    let generated = String::from_utf8(run(&["monitoring", "reference"]).stdout).unwrap();
    let checked_in = std::fs::read_to_string(root().join("docs/metrics-reference.md")).unwrap_or_default();
    assert!(
        generated == checked_in,
        "docs/metrics-reference.md is out of date: run `make generate`"
    );
}

#[test]
fn the_readme_is_short() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let lines = readme.lines().count();
    assert!(
        lines < README_LINES,
        "README.md has {lines} lines; move what is not for the first hour to docs/"
    );
}

#[test]
fn every_command_of_the_readmes_install_section_is_one_that_the_guides_tests_run() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let guide = std::fs::read_to_string(root().join("docs/install.md")).unwrap();
    let (_, section) = readme.split_once("\n## Install\n").expect("a section");
    let block = section
        .split("```sh\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("a block of commands");
    assert!(block.lines().count() > 3);
    let commands: Vec<&str> = guide.lines().map(|line| line.trim_start_matches("$ ")).collect();
    for line in block.lines() {
        let command = line.split(" #").next().unwrap_or(line).trim();
        assert!(
            commands.contains(&command),
            "docs/install.md has no line {command}"
        );
    }
}

/// The health check of docs/gitops.md on a resource, given as a table of Lua; `None` where no Lua is installed.
fn health(resource: &str) -> Option<String> {
    let script = format!(
        "obj = {resource}; local health = dofile('docs/examples/argocd-health.lua'); print(health.status .. '|' .. health.message)"
    );
    let lua = ["lua5.4", "lua", "lua5.3", "lua5.1"]
        .into_iter()
        .find_map(|program| {
            let run = Command::new(program)
                .args(["-e", &script])
                .current_dir(root())
                .output();
            run.ok()
        })?;
    assert!(lua.status.success(), "{}", String::from_utf8_lossy(&lua.stderr));
    Some(String::from_utf8_lossy(&lua.stdout).trim().to_owned())
}

#[test]
fn argo_cds_health_check_follows_ready_and_suspended() {
    let ready = |status: &str, seen: u32, more: &str| {
        format!(
            "{{metadata = {{generation = 2}}, status = {{conditions = {{
                {{type = 'Ready', status = '{status}', reason = 'R', message = 'm', observedGeneration = {seen}}}{more}}}}}}}"
        )
    };
    let suspended = ", {type = 'Suspended', status = 'True', reason = 'Suspended', message = 'until noon'}";
    for (resource, wanted) in [
        (
            "{metadata = {generation = 1}}".to_owned(),
            "Progressing|the operator has not reported yet",
        ),
        (ready("True", 2, ""), "Healthy|R: m"),
        (
            ready("True", 1, ""),
            "Progressing|the operator has not seen this generation yet",
        ),
        (ready("False", 2, ""), "Degraded|R: m"),
        (ready("Unknown", 2, ""), "Progressing|R: m"),
        (ready("True", 2, suspended), "Suspended|until noon"),
    ] {
        let Some(found) = health(&resource) else {
            eprintln!(
                "SKIPPED: no Lua is installed (Debian: apt-get install lua5.4), so docs/examples/argocd-health.lua was not run"
            );
            return;
        };
        assert_eq!(found, wanted, "{resource}");
    }
}

/// Every Markdown file of the repository that people read.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    let mut folders = vec![root().join("docs"), root().join("tests"), root().join("charts")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The text without fenced code.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The targets of `[text](target)`.
fn links(prose: &str) -> Vec<&str> {
    let starts = prose.match_indices("](").map(|(at, mark)| at + mark.len());
    starts
        .filter_map(|start| prose[start..].split_once(')').map(|(target, _)| target))
        .collect()
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(prose: &str) -> Vec<String> {
    let mut seen = BTreeMap::<String, usize>::new();
    prose
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|char| char.is_alphanumeric() || " -_".contains(*char));
            let anchor = kept.collect::<String>().replace(' ', "-");
            let before = seen.entry(anchor.clone()).or_default();
            *before += 1;
            match *before {
                1 => anchor,
                number => format!("{anchor}-{}", number - 1),
            }
        })
        .collect()
}

fn broken(document: &Path, target: &str) -> Option<String> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match file {
        "" => document.to_owned(),
        file => document.parent().unwrap().join(file),
    };
    if !path.exists() {
        return Some(format!("{target}: no such file"));
    }
    let text = prose(&std::fs::read_to_string(&path).unwrap_or_default());
    let missing = !anchor.is_empty() && !anchors(&text).iter().any(|known| known == anchor);
    missing.then(|| format!("{target}: no such heading"))
}

#[test]
fn every_link_between_documents_leads_to_a_file_and_a_heading() {
    let mut found = Vec::new();
    let mut checked = 0;
    for document in documents() {
        let text = prose(&std::fs::read_to_string(&document).unwrap());
        let inside = links(&text).into_iter().filter(|target| !target.contains("://"));
        for target in inside {
            checked += 1;
            found.extend(broken(&document, target).map(|why| format!("{}: {why}", document.display())));
        }
    }
    assert!(checked > 50, "only {checked} links were found");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn links_and_headings_are_read_as_github_reads_them() {
    assert_eq!(links("see [a](b.md#c) and [d](#e)"), ["b.md#c", "#e"]);
    assert_eq!(
        anchors("# `spec.a[]`, or b\n# x\n# x"),
        ["speca-or-b", "x", "x-1"]
    );
    assert_eq!(prose("a\n```\n[x](y)\n```\nb"), "a\nb");
}
