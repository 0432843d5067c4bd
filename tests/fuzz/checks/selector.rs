//! Label selectors. What holds for every input, whoever sent it: `make fuzz` searches for inputs that break it, and the unit
//! tests of `src/core` check the inputs that fuzzing has kept.

use std::collections::BTreeMap;

use vas_core::k8s::label_selector::LabelSelector;

/// A label selector. Its text form and its object form select the same labels.
pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(selector) = text.parse::<LabelSelector>() else {
        return;
    };
    let object = LabelSelector::from(&selector.object());
    // Labels from the selector, and others.
    let words: Vec<&str> = text
        .split(|char: char| !char.is_ascii_alphanumeric())
        .take(8)
        .collect();
    let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let mut tried = vec![labels(&[]), labels(&[("app", "web")])];
    for pair in words.windows(2) {
        tried.push(labels(&[(pair[0], pair[1])]));
        tried.push(labels(&[(pair[0], ""), (pair[1], pair[0])]));
    }
    for labels in tried {
        assert_eq!(
            selector.matches(&labels),
            object.matches(&labels),
            "{text:?} on {labels:?}"
        );
    }
}
