//! Variables of the environment in a scenario, such as `${TOKEN}`. Their values are secrets: they are sent,
//! and shown nowhere.

use std::{borrow::Cow, collections::BTreeSet, fmt};

/// Texts shorter than this many bytes are not masked: `80` is a part of too many harmless words.
const SHORTEST_MASKED: usize = 4;

/// What stands at the end of a text that was cut off.
const CUT: char = '\u{2026}';

/// Values that are shown nowhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeSet<String>);

impl Secrets {
    /// Adds a value that is shown nowhere either.
    pub fn add(&mut self, value: String) {
        self.0.insert(value);
    }

    /// A text of the server or a library, with each secret in it replaced by `***`.
    pub fn masked<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let long = self.0.iter().filter(|secret| secret.len() >= SHORTEST_MASKED);
        let mut found: Vec<&String> = long.filter(|secret| text.contains(secret.as_str())).collect();
        // A secret may be a part of another one, which is then masked first.
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let masked = found.into_iter().fold(Cow::Borrowed(text), |text, secret| {
            Cow::Owned(text.replace(secret.as_str(), "***"))
        });
        match self.cut_off(&masked) {
            Some(begin) => {
                let before = masked.get(..begin).unwrap_or_default();
                Cow::Owned(format!("{before}***"))
            }
            None => masked,
        }
    }

    /// Where a secret begins whose end was cut off with the end of the text.
    fn cut_off(&self, text: &str) -> Option<usize> {
        let text = text.strip_suffix(CUT)?;
        let begins = |secret: &String| {
            let ends = secret.char_indices().map(|(end, _)| end);
            let mut parts = ends.filter(|end| *end >= SHORTEST_MASKED);
            parts.find_map(|end| text.strip_suffix(secret.get(..end)?).map(str::len))
        };
        self.0.iter().filter_map(begins).min()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// The environment, and what a scenario took from it.
pub(super) struct Environment<'a> {
    value: &'a dyn Fn(&str) -> Option<String>,
    names: BTreeSet<String>,
    secrets: Secrets,
}

/// Why a `${NAME}` has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// A `${` has no `}`.
    #[error("\"${{\" is not closed by \"}}\" in {0:?}; write \"$${{\" for the characters themselves")]
    Open(String),
    /// The name has characters that no name of a variable has.
    #[error(
        "${{{0}}} is not a variable of the environment: use letters, digits and \"_\", or write \"$${{\" for the characters themselves"
    )]
    Name(String),
    /// The environment has no such variable.
    #[error("${{{0}}} has no value: set {0} in the environment of vas")]
    Unset(String),
}

impl<'a> Environment<'a> {
    /// An environment in which a name has the value that `value` returns.
    pub(super) fn new(value: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            value,
            names: BTreeSet::new(),
            secrets: Secrets::default(),
        }
    }

    /// Names of the variables whose values were taken, and the values.
    pub(super) fn into_taken(self) -> (BTreeSet<String>, Secrets) {
        (self.names, self.secrets)
    }

    /// The text with each `${NAME}` replaced by the value of the variable, and `$${` by `${`; and whether a
    /// value is in it.
    ///
    /// # Errors
    /// When a name is malformed, or has no value.
    pub(super) fn expand(&mut self, text: &str) -> Result<(String, bool), EnvironmentError> {
        let (mut expanded, mut taken, mut rest) = (String::new(), false, text);
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                expanded.push_str(before);
                expanded.push_str("${");
                rest = after;
                continue;
            }
            let (name, behind) = after
                .split_once('}')
                .ok_or_else(|| EnvironmentError::Open(text.to_owned()))?;
            let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
            if name.is_empty() || !name.chars().all(word) {
                return Err(EnvironmentError::Name(name.to_owned()));
            }
            let value = (self.value)(name).ok_or_else(|| EnvironmentError::Unset(name.to_owned()))?;
            expanded.push_str(before);
            expanded.push_str(&value);
            self.names.insert(name.to_owned());
            self.secrets.0.insert(value);
            taken = true;
            rest = behind;
        }
        expanded.push_str(rest);
        Ok((expanded, taken))
    }
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<String> {
        match name {
            "TOKEN" => Some("s3cr3t-4711".to_owned()),
            "PART" => Some("s3cr3t".to_owned()),
            "PORT" => Some("80".to_owned()),
            "ODD" => Some("${TOKEN}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn names_become_values_once_and_a_doubled_dollar_is_one() {
        let mut environment = Environment::new(&value);
        for (text, expanded, taken) in [
            ("Bearer ${TOKEN}!", "Bearer s3cr3t-4711!", true),
            ("a $5 {b} $", "a $5 {b} $", false),
            ("$${TOKEN}", "${TOKEN}", false),
            ("${ODD}", "${TOKEN}", true),
        ] {
            assert_eq!(
                environment.expand(text),
                Ok((expanded.to_owned(), taken)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_has_no_value_is_refused_by_its_name() {
        let mut environment = Environment::new(&value);
        for (text, words) in [
            ("${NONE}", "set NONE in the environment"),
            ("${a.b}", "${a.b} is not a variable"),
            ("x ${TOKEN", "is not closed"),
        ] {
            let error = environment.expand(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn secrets_are_masked_wherever_they_appear_and_shown_by_no_debug() {
        let mut environment = Environment::new(&value);
        environment.expand("${TOKEN}${PART}${PORT}").unwrap();
        assert!(!format!("{environment:?}").contains("s3cr3t"));
        let (names, secrets) = environment.into_taken();
        assert_eq!(names.len(), 3);
        assert_eq!(secrets.masked("80 s3cr3t-4711, s3cr3t"), "80 ***, ***");
        assert_eq!(secrets.masked("nothing"), "nothing");
        // The end of a long text is cut off, and with it the end of a secret.
        assert_eq!(secrets.masked("at s3cr3t-47\u{2026}"), "at ***-47\u{2026}");
        assert_eq!(secrets.masked("at s3cr\u{2026}"), "at ***");
        assert_eq!(secrets.masked("s3c\u{2026}"), "s3c\u{2026}");
        assert_eq!(format!("{secrets:?}"), "Secrets(3)");
    }
}
