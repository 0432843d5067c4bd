//! Strings and names as PromQL takes them.

use std::fmt::Write as _;

/// Quotes a string as a PromQL literal. Whatever the value holds, the literal ends where it should.
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

/// Name of a label, safe to write into a query as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelName(String);

/// The text is no label name.
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
    use super::*;

    #[test]
    fn quotes_and_control_characters_are_escaped() {
        assert_eq!(quote("a\"b\\c\nd\u{1}"), r#""a\"b\\c\nd\u0001""#);
    }

    #[test]
    fn label_names_with_structure_in_them_are_refused() {
        for text in ["", "0a", "a-b", "a b", "a\"", "a}", "ä"] {
            assert!(text.parse::<LabelName>().is_err(), "{text}");
        }
        assert!("__a_0".parse::<LabelName>().is_ok());
    }
}
