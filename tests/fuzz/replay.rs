//! Checks the inputs that fuzzing has kept. The unit tests of each crate that has a parser include this file.

#![allow(clippy::disallowed_methods, reason = "kept inputs are files")]

use std::path::Path;

/// Checks each kept input of a target, and names the one that fails.
pub(super) fn hold(target: &str, check: fn(&[u8])) {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = crate_folder.join("../../tests/fuzz/corpus").join(target);
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
