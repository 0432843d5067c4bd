//! Regular expressions of others, compiled under a bound.

use regex::{Regex, RegexBuilder};

/// Most memory that a compiled expression may take.
const MAX_COMPILED: usize = 1 << 20;

/// Compiles an expression.
///
/// # Errors
/// With the name of the field it stands in.
pub(super) fn compile(pattern: &str, field: &str) -> Result<Regex, String> {
    let compiled = RegexBuilder::new(pattern).size_limit(MAX_COMPILED).build();
    compiled.map_err(|error| {
        let error = error.to_string();
        // The last line of a syntax error says what is wrong; the others draw an arrow.
        let words = error.lines().last().unwrap_or_default();
        format!(
            "{field} {pattern:?} is not a regular expression: {}",
            words.trim_start_matches("error: ")
        )
    })
}
