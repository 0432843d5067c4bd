//! Resources in files. What holds for every input, whoever sent it: `make fuzz` searches for inputs that break it, and the unit
//! tests of `src/core` check the inputs that fuzzing has kept.

use vas_core::spec::rules::document;

/// A resource in a file. Every rule runs on any content.
pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(documents) = serde_saphyr::from_multiple::<serde_json::Value>(text) else {
        return;
    };
    for document in documents {
        let checked = document::check(&document, None);
        for violation in checked.validation.violations {
            assert!(!violation.rule.is_empty(), "{document}: {violation}");
        }
    }
}
