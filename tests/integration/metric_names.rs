//! Names of metrics stand in `src/core/monitoring/families` alone: whoever renames one there has renamed it everywhere.

use support::cluster::root;

use crate::purity::{code, sources};

/// The words of a source that are names of metrics. `vas_core::x` and `as vas_core` are names of crates, and `vas_` alone
/// begins other names.
fn metrics(code: &str) -> Vec<&str> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let mut found = Vec::new();
    for (at, _) in code.match_indices("vas_") {
        let (before, rest) = code.split_at(at);
        let end = rest.find(|char| !is_part(char)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_crate = after.starts_with("::") || before.ends_with("selfas");
        if !before.ends_with(is_part) && !is_crate && word != "vas_" {
            found.push(word);
        }
    }
    found
}

#[test]
fn no_source_but_the_table_has_a_name_of_a_metric() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    assert!(files.len() > 300, "only {} sources were found", files.len());
    let table = root().join("src/core/monitoring/families");
    let mut in_table = 0;
    for file in files {
        let code = code(&std::fs::read_to_string(&file).unwrap());
        let found = metrics(&code);
        if file.starts_with(&table) {
            in_table += found.len();
        } else {
            assert!(
                found.is_empty(),
                "{} has {found:?}: take it from the table in {}",
                file.display(),
                table.display()
            );
        }
    }
    assert!(in_table > 28, "the table has only {in_table} names");
}

#[test]
fn names_of_metrics_are_told_from_names_of_crates() {
    let code = code(
        "use vas_core::k8s;\n// vas_comment\nlet rule = \"sum(vas_test_requests_total) > 0\"; f(\"vas_operator_leader\");\nreads_vas_reads();",
    );
    assert_eq!(metrics(&code), ["vas_test_requests_total", "vas_operator_leader"]);
}
