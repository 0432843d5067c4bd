//! Parses the text form of a label selector.

use std::collections::BTreeSet;

use super::{LabelSelector, Requirement};

/// Largest number of requirements, and of values of one requirement. Each pod of a namespace is compared with
/// all of them. An HPA has only a few.
const MAX_TERMS: usize = 256;

/// Why a selector was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad label selector at {at:?}: {expected}")]
pub struct ParseSelectorError {
    at: String,
    expected: &'static str,
}

/// Why a text is no selector of a workload's pods.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PodSelectorError {
    /// The text does not parse.
    #[error(transparent)]
    Parse(#[from] ParseSelectorError),
    /// The selector is empty and would select every pod of the namespace.
    #[error("an empty label selector, which selects every pod of the namespace")]
    Empty,
}

impl LabelSelector {
    /// Parses the selector of a workload's pods, such as that of a scale subresource.
    ///
    /// # Errors
    /// See [`PodSelectorError`].
    pub fn of_pods(text: &str) -> Result<Self, PodSelectorError> {
        let selector: Self = text.parse()?;
        if selector.is_empty() {
            return Err(PodSelectorError::Empty);
        }
        Ok(selector)
    }
}

impl std::str::FromStr for LabelSelector {
    type Err = ParseSelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut input = Input { rest: text };
        let mut requirements = Vec::new();
        if input.at_end() {
            return Ok(Self { requirements });
        }
        loop {
            if requirements.len() == MAX_TERMS {
                return Err(input.error("no more than 256 requirements"));
            }
            requirements.push(input.requirement()?);
            if input.at_end() {
                return Ok(Self { requirements });
            }
            input.expect(",", "a comma between requirements")?;
        }
    }
}

/// The part of the text that is not parsed yet.
struct Input<'a> {
    rest: &'a str,
}

impl<'a> Input<'a> {
    fn at_end(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        self.rest.is_empty()
    }

    fn accept(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str, expected: &'static str) -> Result<(), ParseSelectorError> {
        if self.accept(token) {
            Ok(())
        } else {
            Err(self.error(expected))
        }
    }

    fn error(&self, expected: &'static str) -> ParseSelectorError {
        ParseSelectorError {
            at: self.rest.chars().take(40).collect(),
            expected,
        }
    }

    /// Takes the longest run of characters that keys and values may have. The run may be empty.
    fn word(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|char: char| !(char.is_ascii_alphanumeric() || "-_./".contains(char)))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn key(&mut self) -> Result<String, ParseSelectorError> {
        let before = self.rest;
        let key = self.word();
        let name = key.rsplit('/').next().unwrap_or_default();
        if is_name(name) && key.matches('/').count() <= 1 && !key.starts_with('/') {
            Ok(key.to_owned())
        } else {
            self.rest = before;
            Err(self.error("a label key"))
        }
    }

    fn value(&mut self) -> Result<String, ParseSelectorError> {
        let before = self.rest;
        let value = self.word();
        if value.is_empty() || (is_name(value) && !value.contains('/')) {
            Ok(value.to_owned())
        } else {
            self.rest = before;
            Err(self.error("a label value"))
        }
    }

    fn requirement(&mut self) -> Result<Requirement, ParseSelectorError> {
        if self.accept("!") {
            return Ok(Requirement::Absent(self.key()?));
        }
        let key = self.key()?;
        // The longer operators come first: `==` begins with `=`.
        if self.accept("!=") {
            return Ok(Requirement::NotIn(key, BTreeSet::from([self.value()?])));
        }
        if self.accept("==") || self.accept("=") {
            return Ok(Requirement::Equals(key, self.value()?));
        }
        match self.word() {
            "" if self.at_end() || self.rest.starts_with(',') => Ok(Requirement::Exists(key)),
            "in" => Ok(Requirement::In(key, self.values()?)),
            "notin" => Ok(Requirement::NotIn(key, self.values()?)),
            _ => Err(self.error("one of =, ==, !=, in, notin")),
        }
    }

    fn values(&mut self) -> Result<BTreeSet<String>, ParseSelectorError> {
        self.expect("(", "( after in or notin")?;
        let mut values = BTreeSet::from([self.value()?]);
        while self.accept(",") {
            if values.len() == MAX_TERMS {
                return Err(self.error("no more than 256 values"));
            }
            values.insert(self.value()?);
        }
        self.expect(")", ") after the values")?;
        Ok(values)
    }
}

/// Whether a text has 1 to 63 characters: letters, digits, `-`, `_` and `.`, with a letter or digit at both
/// ends.
fn is_name(text: &str) -> bool {
    let ends_well = |char: Option<char>| char.is_some_and(|char| char.is_ascii_alphanumeric());
    text.len() <= 63 && ends_well(text.chars().next()) && ends_well(text.chars().next_back())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn malformed_selectors_are_refused() {
        for selector in [
            ",",
            "app=web,",
            "=web",
            "app web",
            "app in web",
            "app in (web",
            "app in ()x",
            "app>1",
            "!",
            "a/b/c=d",
            "/a=b",
            "-a=b",
            "a=b/c",
            "app=web tier",
            "app=\"x\"",
            "a=-",
        ] {
            assert!(selector.parse::<LabelSelector>().is_err(), "{selector}");
        }
    }

    #[test]
    fn a_selector_has_no_more_terms_than_anybody_needs() {
        let terms =
            |count: usize, term: fn(usize) -> String| -> Vec<String> { (0..count).map(term).collect() };
        let requirements = |count| terms(count, |n| format!("!k{n}")).join(",");
        let values = |count| format!("a in ({})", terms(count, |n| format!("v{n}")).join(","));
        for text in [requirements(MAX_TERMS), values(MAX_TERMS)] {
            assert!(text.parse::<LabelSelector>().is_ok(), "{text}");
        }
        for text in [requirements(MAX_TERMS + 1), values(MAX_TERMS + 1)] {
            let error = text.parse::<LabelSelector>().unwrap_err();
            assert!(error.to_string().contains("no more than 256"), "{error}");
        }
    }

    #[test]
    fn what_selects_every_pod_is_no_selector_of_a_workload() {
        assert_eq!(LabelSelector::of_pods(" "), Err(PodSelectorError::Empty));
        assert!(matches!(
            LabelSelector::of_pods("a>5"),
            Err(PodSelectorError::Parse(_))
        ));
        assert!(LabelSelector::of_pods("app=web").is_ok());
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused_without_a_panic(text in any::<String>()) {
            let _ = text.parse::<LabelSelector>();
        }
    }
}
