//! Inputs that fuzzing has kept (`make fuzz`), checked with the same checks in every test run.

#[path = "../fuzz/checks.rs"]
mod checks;

use support::cluster::root;

/// Checks each kept input of a target, and names the one that fails.
fn hold(target: &str, check: fn(&[u8])) {
    let folder = root().join("tests/fuzz/corpus").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("a corpus") {
        let file = entry.expect("a file").path();
        let input = std::fs::read(&file).expect("a file");
        let held = std::panic::catch_unwind(|| check(&input)).is_ok();
        assert!(held, "{} fails the check of {target}", file.display());
        count += 1;
    }
    assert!(count >= 10, "{} has {count} inputs only", folder.display());
}

#[test]
fn kept_paths_read_no_other_namespace() {
    hold("path", checks::path);
}

#[test]
fn kept_selectors_select_the_same_in_both_forms() {
    hold("selector", checks::selector);
}

#[test]
fn kept_quantities_are_what_they_say() {
    hold("quantity", checks::quantity);
}

#[test]
fn no_part_of_a_kept_answer_passes_for_a_whole_one() {
    hold("answer", checks::answer);
}

#[test]
fn kept_queries_are_bound_in_every_selector() {
    hold("query", checks::query);
}

#[test]
fn kept_resources_are_judged() {
    hold("resource", checks::resource);
}

#[test]
fn kept_configurations_become_entries_or_reasons() {
    hold("import", checks::import);
}
