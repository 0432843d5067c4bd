//! Words that several messages share, and how the words of other programs are passed on.

use std::error::Error;

/// Longest text of another program that is passed on, in characters.
const MAX_WORDS: usize = 300;

/// ` and 3 more`, after a list that names only its first items; empty if none is left out.
pub fn and_more(left_out: usize) -> String {
    match left_out {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

/// The text on one line: each run of spaces and line breaks becomes one space.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text of another program on one line, without control characters, and of bounded length.
pub fn words(text: &str) -> String {
    let line = one_line(text);
    let mut chars = line.chars().filter(|char| !char.is_control());
    let mut short: String = chars.by_ref().take(MAX_WORDS).collect();
    if chars.next().is_some() {
        short.push_str("...");
    }
    short
}

/// The text of the last error in the chain of sources: the cause, without URLs and wrappers.
pub fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    words(&cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_line_of_bounded_length() {
        let long = words(&"ab\n\u{7}c ".repeat(1000));
        assert_eq!(long.chars().count(), MAX_WORDS + 3);
        assert!(long.chars().all(|char| !char.is_control()));
    }

    #[test]
    fn a_whole_list_has_no_rest() {
        assert_eq!(and_more(0), "");
        assert_eq!(and_more(3), " and 3 more");
    }
}
