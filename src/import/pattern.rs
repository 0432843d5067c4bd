//! Compiles the regular expressions of imported files, which may be hostile, with limits.

use regex::{Regex, RegexBuilder};

/// Most memory that a compiled expression may take, in bytes.
const MAX_COMPILED: usize = 1 << 20;

/// Longest expression, in bytes. The syntax tree takes memory before [`MAX_COMPILED`] is checked.
const MAX_LENGTH: usize = 4096;

/// Compiles an expression.
///
/// # Errors
/// If the expression is too long, too large or invalid. The message names the field.
pub(super) fn compile(pattern: &str, field: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_LENGTH {
        return Err(format!("{field} is longer than {MAX_LENGTH} bytes"));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_that_would_take_megabytes_is_refused() {
        assert!(compile("^queue_(.*)_depth$", "f").is_ok());
        for pattern in [r"\pL{200}", "((a{100}){100}){100}", &r"\pL".repeat(2000)] {
            assert!(compile(pattern, "f").is_err(), "{pattern}");
        }
    }
}
