//! Writes strings and label names so that they are safe inside a query.

use std::fmt::Write as _;

/// Quotes a string as a PromQL literal. Whatever the value contains, it cannot end the literal early.
/// Source: string literals follow Go's escaping rules.
#[must_use]
pub fn quote(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for char in value.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Quotes a regular expression that matches exactly these strings: `a.b` and `c` become `"a\\.b|c"`. PromQL
/// anchors regular expressions at both ends. Prometheus recognizes an alternation of literals and looks the
/// values up, which is faster than matching.
#[must_use]
pub fn quote_any_of<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let escaped: Vec<String> = values.into_iter().map(escape_regex).collect();
    quote(&escaped.join("|"))
}

/// A regular expression that matches this text alone.
pub(super) fn escape_regex(literal: &str) -> String {
    let mut escaped = String::with_capacity(literal.len());
    for char in literal.chars() {
        if r"\.+*?()|[]{}^$".contains(char) {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

/// Writes the name of a label for a matcher: unchanged where it consists of letters, digits and `_`, else in
/// quotes, which only Prometheus 3 and newer accepts.
///
/// # Errors
/// When the text is empty, or contains white space or characters with a meaning in a selector.
pub fn matcher_name(name: &str) -> Result<String, InvalidMatcherName> {
    if name.parse::<LabelName>().is_ok() {
        return Ok(name.to_owned());
    }
    let is_syntax = |char: char| char.is_whitespace() || char.is_control() || "{}\"=!~,".contains(char);
    if name.is_empty() || name.contains(is_syntax) {
        return Err(InvalidMatcherName(name.to_owned()));
    }
    Ok(quote(name))
}

/// The text is no name of a label that can be written into a matcher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a label: it is empty, or holds white space or characters of a matcher")]
pub struct InvalidMatcherName(String);

/// The name of a label: letters, digits and `_`, not starting with a digit. It is safe to write into a query
/// as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelName(String);

/// The text is no such name of a label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a Prometheus label name: use letters, digits and underscores, not starting with a digit"
)]
pub struct InvalidLabelName(String);

impl LabelName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for LabelName {
    type Err = InvalidLabelName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let starts_well = text
            .chars()
            .next()
            .is_some_and(|char| char.is_ascii_alphabetic() || char == '_');
        if starts_well
            && text
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || char == '_')
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidLabelName(text.to_owned()))
        }
    }
}

impl std::fmt::Display for LabelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use promql_parser::parser::{self, Expr};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_and_control_characters_are_escaped() {
        assert_eq!(quote("a\"b\\c\nd\u{1}"), r#""a\"b\\c\nd\u0001""#);
    }

    proptest! {
        #[test]
        fn a_list_of_strings_matches_each_of_them_and_nothing_else(
            values in proptest::collection::vec("[ -~\\PC\n]{0,12}", 1..5),
            other in "[ -~\\PC\n]{0,12}",
        ) {
            let quoted = quote_any_of(values.iter().map(String::as_str));
            let Ok(Expr::VectorSelector(selector)) = parser::parse(&format!("a{{b=~{quoted}}}")) else {
                panic!("{quoted}")
            };
            let matcher = &selector.matchers.matchers[0];
            prop_assert!(values.iter().all(|value| matcher.is_match(value)), "{}", quoted);
            prop_assert_eq!(matcher.is_match(&other), values.contains(&other), "{}", quoted);
        }
    }

    #[test]
    fn names_of_any_script_are_matched_in_quotes_and_structure_is_refused() {
        for (name, written) in [
            ("job", "job"),
            ("a.b", "\"a.b\""),
            ("größe", "\"größe\""),
            ("1a", "\"1a\""),
        ] {
            assert_eq!(matcher_name(name).as_deref(), Ok(written));
        }
        for name in ["", "a b", "a=b", "a\"", "a}", "a\n", "a!~b"] {
            assert!(matcher_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn label_names_with_structure_in_them_are_refused() {
        for text in ["", "0a", "a-b", "a b", "a\"", "a}", "ä"] {
            assert!(text.parse::<LabelName>().is_err(), "{text}");
        }
        assert!("__a_0".parse::<LabelName>().is_ok());
    }
}
