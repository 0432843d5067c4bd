//! `docs/metrics-api.md` numbers the rules of the metrics API, and `docs/security.md` what each actor can and cannot
//! do. Each is proved by tests that exist, or refused with a reason.

use std::{collections::BTreeSet, path::Path};

use support::cluster::root;

/// The documents whose rows must have a proof.
const DOCUMENTS: [&str; 2] = ["docs/metrics-api.md", "docs/security.md"];
/// Shortest reason, in characters, that is accepted instead of a proof.
const SHORTEST_REASON: usize = 20;

/// Names of all test functions below a folder: Rust functions under a test attribute or in `proptest!`, and Go's.
fn tests_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_below(&path, found);
        } else if let Some(extension @ ("rs" | "go")) =
            path.extension().and_then(|extension| extension.to_str())
        {
            let source = std::fs::read_to_string(&path).unwrap();
            found.extend(if extension == "go" {
                go(&source)
            } else {
                rust(&source)
            });
        }
    }
}

/// The functions that follow a line `#[test]` or `#[tokio::test...]`, other attributes in between.
fn rust(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
            names.extend(rest.split(['(', '<']).next().map(str::to_owned));
            is_test = false;
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            is_test = false;
        }
    }
    names
}

fn go(source: &str) -> Vec<String> {
    let declared = source.lines().filter_map(|line| line.strip_prefix("func "));
    let tests = declared.filter(|rest| rest.starts_with("Test"));
    tests
        .filter_map(|rest| rest.split('(').next().map(str::to_owned))
        .collect()
}

/// What is wrong with the proof of a row; `None` if nothing is.
fn flaw(proof: &str, tests: &BTreeSet<String>) -> Option<String> {
    if let Some(reason) = proof.strip_prefix("refused:") {
        return (reason.trim().len() < SHORTEST_REASON).then(|| "refused without a reason".to_owned());
    }
    let named: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
    if named.is_empty() {
        return Some("has no proof".to_owned());
    }
    let missing = named.into_iter().find(|name| !tests.contains(*name))?;
    Some(format!("names the test {missing}, which does not exist"))
}

/// Number and proof of each row.
fn rows(document: &str) -> Vec<(&str, &str)> {
    let cells = document.lines().map(|line| line.split(" | ").collect::<Vec<_>>());
    cells
        .filter_map(|cells| match cells.as_slice() {
            [number, _, proof] => Some((number.strip_prefix("| ")?, proof.trim_end_matches('|').trim())),
            _ => None,
        })
        .filter(|(number, _)| number.starts_with(|first: char| first.is_ascii_digit()))
        .collect()
}

#[test]
fn every_rule_and_every_bound_is_proved_by_a_test_or_refused_with_a_reason() {
    let mut tests = BTreeSet::new();
    tests_below(&root().join("src"), &mut tests);
    tests_below(&root().join("tests"), &mut tests);
    for name in DOCUMENTS {
        let document = std::fs::read_to_string(root().join(name)).unwrap();
        let rules = document
            .lines()
            .filter(|line| line.starts_with('|') && line.contains('.'))
            .count();
        let rows = rows(&document);
        assert_eq!(
            rows.len(),
            rules,
            "{name}: a row is not written as number, rule, proof"
        );
        let flaws: Vec<String> = rows
            .iter()
            .filter_map(|(number, proof)| Some(format!("{name}: {number} {}", flaw(proof, &tests)?)))
            .collect();
        assert!(flaws.is_empty(), "{}", flaws.join("\n"));
    }
}

#[test]
fn a_test_that_does_not_exist_proves_nothing() {
    let source = "#[test]\n#[allow(unused)]\nfn one() {}\nfn two() {}\n    #[tokio::test(start_paused = true)]\n    async fn three() {}\n";
    let tests = BTreeSet::from_iter(rust(source));
    assert_eq!(tests, BTreeSet::from(["one".to_owned(), "three".to_owned()]));
    assert_eq!(go("func TestX(t *testing.T) {}\nfunc y() {}"), ["TestX"]);
    for (proof, holds) in [
        ("`one`", true),
        ("`one`, `three` over TLS", true),
        ("`one`, `two`", false),
        ("one", false),
        ("", false),
        ("refused: no source of ours describes such objects", true),
        ("refused:", false),
    ] {
        assert_eq!(flaw(proof, &tests).is_none(), holds, "{proof}");
    }
    assert_eq!(
        rows("| # | rule | proof |\n|---|---|---|\n| 1.1 | x | `one` |\n| 1.2 | y | |"),
        [("1.1", "`one`"), ("1.2", "")]
    );
}
