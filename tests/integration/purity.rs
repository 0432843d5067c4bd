//! `src/core` is pure. Operator, metrics server and offline commands share it, so the tools show what runs.
//! The import and the judging halves of load test and diagnosis are pure too. This test reads their sources
//! and refuses access to the outside world.

use std::path::{Path, PathBuf};

use support::cluster::root;

/// Paths of the outside world. Whitespace is removed from the sources first.
const FORBIDDEN: [&str; 23] = [
    "kube::Client",
    "kube::Api",
    "kube::client",
    "kube::runtime",
    "kube_runtime",
    "tokio",
    "futures::",
    "reqwest",
    "hyper",
    "axum",
    "rand::",
    "random::",
    "fastrand::",
    "clock::",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "Timestamp::now",
];

pub(crate) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // Modules of a `tests.rs` are tests as it is.
            if path.file_name().is_none_or(|name| name != "tests") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path
                .file_name()
                .is_some_and(|name| name != "tests.rs" && name != "properties.rs")
        {
            found.push(path);
        }
    }
}

/// The code of a file without its tests, comments and whitespace.
pub(crate) fn code(source: &str) -> String {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(str::chars)
        .filter(|char| !char.is_whitespace())
        .collect()
}

/// Forbidden paths in a file, including imports in braces (`kube::{Client}`).
fn reaches(source: &str) -> Vec<&'static str> {
    let code = code(source);
    FORBIDDEN
        .into_iter()
        .filter(|forbidden| {
            let grouped = forbidden.rsplit_once("::").is_some_and(|(module, name)| {
                !name.is_empty()
                    && code.split(&format!("{module}::{{")).skip(1).any(|rest| {
                        let names = rest.split_once("};").map_or(rest, |(names, _)| names);
                        names
                            .split([',', '{', '}'])
                            .any(|import| import.split("::").next() == Some(name))
                    })
            });
            grouped || code.contains(forbidden)
        })
        .collect()
}

/// Files and folders that are pure.
const PURE: [&str; 18] = [
    "src/core",
    "src/import",
    "src/loadtest/model",
    "src/loadtest/scenario",
    "src/loadtest/import",
    "src/loadtest/judge",
    "src/loadtest/merge",
    "src/loadtest/report",
    "src/diagnose/doctor/checks",
    "src/diagnose/doctor/mod.rs",
    "src/diagnose/explain/ask.rs",
    "src/diagnose/explain/judge.rs",
    "src/diagnose/explain/metric.rs",
    "src/diagnose/explain/memory.rs",
    "src/diagnose/simulate/sync/mod.rs",
    "src/diagnose/simulate/sync/document.rs",
    "src/diagnose/simulate/sync/memory.rs",
    "src/diagnose/simulate/sync/report.rs",
];

#[test]
fn what_is_pure_reaches_for_nothing_outside() {
    let mut files = Vec::new();
    for pure in PURE.map(|pure| root().join(pure)) {
        let before = files.len();
        if pure.is_dir() {
            sources(&pure, &mut files);
        } else {
            files.push(pure.clone());
        }
        assert!(files.len() > before, "{} has no sources", pure.display());
    }
    for file in files {
        let found = reaches(&std::fs::read_to_string(&file).unwrap());
        assert!(found.is_empty(), "{} uses {found:?}", file.display());
    }
}

/// The parser compiles the regular expressions in its input, so only one module may call it.
const PROMQL_ENTRANCE: &str = "src/core/metrics/promql/query.rs";

/// Whether code calls the PromQL parser's own `parse`, by any of its paths.
fn parses_promql(source: &str) -> bool {
    let code = code(source);
    let mut imports = code.split("promql_parser::").skip(1);
    code.contains("parser::parse(")
        || code.contains("parse::parse")
        || imports.any(|import| {
            let import = import.split(';').next().unwrap_or_default();
            import
                .split(['{', '}', ',', ':', '('])
                .any(|name| name == "parse" || name == "lexer")
        })
}

#[test]
fn only_one_module_hands_text_to_the_promql_parser() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    assert!(files.len() > 200, "only {} files were looked at", files.len());
    let parsing: Vec<_> = files
        .iter()
        .filter(|file| parses_promql(&std::fs::read_to_string(file).unwrap()))
        .map(|file| file.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    assert_eq!(parsing, [PROMQL_ENTRANCE]);
    for source in [
        "use promql_parser::parser;\nfn f() { parser::parse(\"a\") }",
        "use promql_parser::{label, parser::{Expr, parse}};",
        "fn f() { promql_parser::parser::parse::parse(\"a\") }",
    ] {
        assert!(parses_promql(source), "{source}");
    }
}

#[test]
fn the_scan_sees_what_it_looks_for() {
    for (source, found) in [
        ("use kube::{Api, Resource};", "kube::Api"),
        (
            "use std::{\n    collections::BTreeMap,\n    fs::File,\n};",
            "std::fs",
        ),
        ("use tokio::time;", "tokio"),
        ("fn f() { std::time::Instant::now(); }", "Instant"),
    ] {
        assert_eq!(reaches(source), [found], "{source}");
    }
    for pure in [
        "use kube::{Resource, CustomResourceExt};",
        "// std::fs is not ours",
        "fn f() {}\n#[cfg(test)]\nmod tests {\n use std::fs;\n}",
    ] {
        assert_eq!(reaches(pure), [] as [&str; 0], "{pure}");
    }
}
