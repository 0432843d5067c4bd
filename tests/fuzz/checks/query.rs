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
    let selectors = without_strings(&sent);
    for selector in selectors.split('{').skip(1) {
        let matchers = selector.split('}').next().unwrap_or_default();
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

/// A rendered query without the contents of its strings. All strings in it are in double quotes.
fn without_strings(rendered: &str) -> String {
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
    text
}
