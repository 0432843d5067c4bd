//! Regular expressions of a scenario. Each is searched in one pass over the text, whatever a server sends.

use regex::bytes::{Regex, RegexBuilder};

/// Most memory that a compiled expression takes, in bytes.
const LARGEST: usize = 1 << 20;

/// A regular expression.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles an expression.
    ///
    /// # Errors
    /// When it is malformed, or too large. The text names the place.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let compiled = RegexBuilder::new(text).size_limit(LARGEST).build();
        compiled.map(Self).map_err(|error| {
            // The error draws a picture over several lines; its last line says what is wrong.
            let words = error.to_string();
            let last = words.lines().last().unwrap_or_default();
            let reason = last.strip_prefix("error: ").unwrap_or(last).to_owned();
            format!("{text:?} is not a regular expression: {reason}")
        })
    }

    /// Whether the text has a match.
    pub fn is_in(&self, text: &[u8]) -> bool {
        self.0.is_match(text)
    }

    /// The first group of the first match; without groups the whole match.
    pub fn first_in<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let found = self.0.captures(text)?;
        let group = found.get(1).or_else(|| found.get(0).filter(|_| found.len() == 1));
        group.map(|group| group.as_bytes())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_group_counts_and_without_groups_the_match() {
        let first = |pattern: &str| {
            let pattern = Pattern::parse(pattern).unwrap();
            pattern.first_in(b"id=7; token=\"abc\"; id=8").map(<[u8]>::to_vec)
        };
        assert_eq!(first("token=\"([^\"]+)\"").as_deref(), Some(&b"abc"[..]));
        assert_eq!(first("id=[0-9]").as_deref(), Some(&b"id=7"[..]));
        // A group that took no part has nothing.
        assert_eq!(first("id=(9)?7"), None);
        assert_eq!(first("none"), None);
    }

    #[test]
    fn what_is_none_is_refused_in_one_line() {
        for (pattern, words) in [
            ("(", "\"(\" is not a regular expression: unclosed group"),
            ("a{1000}{1000}{1000}", "exceeds size limit"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert!(error.contains(words) && !error.contains('\n'), "{error}");
        }
    }
}
