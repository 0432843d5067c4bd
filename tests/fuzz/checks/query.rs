//! Authors' own queries. What holds for every input, whoever sent it: `make fuzz` searches for inputs that break it, and the unit
//! tests of `src/core` check the inputs that fuzzing has kept.

use vas_core::metrics::promql;

/// An author's query. It is refused, or it is bound to the namespace in every selector, and the query that is
/// sent can be parsed again.
pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let _ = promql::advise(text);
    let label = "namespace".parse().expect("a label name");
    let Ok(sent) = promql::pin_namespace(text, &label, "mine") else {
        return;
    };
    for matchers in selectors(&sent) {
        assert!(
            matchers.contains("namespace=\"\""),
            "{sent:?} reads another namespace"
        );
    }
    match promql::parse(&sent) {
        Ok(tree) => assert_eq!(promql::render(&tree).as_deref(), Ok(sent.as_str()), "{text:?}"),
        Err(error) => assert!(
            matches!(error, promql::QueryError::TooComplex { .. }),
            "{sent:?}: {error}"
        ),
    }
}

/// The matchers of each selector of a rendered query, found in its text, without the walk over the tree that is
/// under test. Strings, which are all in double quotes, are blanked first, so that a brace inside a string does not
/// count.
pub(crate) fn selectors(rendered: &str) -> Vec<String> {
    let mut text = String::new();
    let mut quoted = false;
    let mut characters = rendered.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if quoted => drop(characters.next()),
            '"' => {
                quoted = !quoted;
                text.push('"');
            }
            _ if quoted => {}
            other => text.push(other),
        }
    }
    text.split('{')
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap_or_default().to_owned())
        .collect()
}
