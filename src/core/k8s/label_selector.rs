//! Kubernetes label selectors in their text form, as in the query parameter `labelSelector`.
//!
//! Source of grammar and semantics: `k8s.io/apimachinery/pkg/labels`. `!=` and `notin` also match objects
//! without the key. The numeric operators `>` and `<` are not supported, because no HPA or scale subresource
//! uses them.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;

/// Largest number of requirements, and of values of one requirement. Each pod of a namespace is compared with
/// all of them. An HPA has only a few.
const MAX_TERMS: usize = 256;

/// A parsed selector. One without requirements matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

/// One requirement on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
    Exists(String),
    Absent(String),
}

/// Why a selector was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad label selector at {at:?}: {expected}")]
pub struct ParseSelectorError {
    at: String,
    expected: &'static str,
}

impl LabelSelector {
    /// Whether an object with these labels is selected.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.matches_by(|key| labels.get(key).map(String::as_str))
    }

    /// Whether an object is selected. `label` looks up the value of one of the object's labels.
    #[must_use]
    pub fn matches_by<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.requirements.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|value| values.contains(value)),
            Requirement::NotIn(key, values) => label(key).is_none_or(|value| !values.contains(value)),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
        })
    }

    /// The value that the selector allows for a key, if it allows exactly one.
    #[must_use]
    pub fn exact(&self, key: &str) -> Option<&str> {
        self.requirements
            .iter()
            .find_map(|requirement| match requirement {
                Requirement::In(of, values) if of == key && values.len() == 1 => {
                    values.first().map(String::as_str)
                }
                _ => None,
            })
    }

    /// The object form, as a PodDisruptionBudget has it.
    #[must_use]
    pub fn object(&self) -> meta::LabelSelector {
        let mut labels = BTreeMap::new();
        let mut expressions = Vec::new();
        for requirement in &self.requirements {
            let (key, operator, values) = match requirement {
                Requirement::In(key, values) => {
                    // A map holds one value per key. A second requirement on the key becomes an expression,
                    // so that both must hold.
                    if let (Some(value), 1) = (values.first(), values.len())
                        && !labels.contains_key(key)
                    {
                        labels.insert(key.clone(), value.clone());
                        continue;
                    }
                    (key, "In", Some(values))
                }
                Requirement::NotIn(key, values) => (key, "NotIn", Some(values)),
                Requirement::Exists(key) => (key, "Exists", None),
                Requirement::Absent(key) => (key, "DoesNotExist", None),
            };
            expressions.push(meta::LabelSelectorRequirement {
                key: key.clone(),
                operator: operator.to_owned(),
                values: values.map(|values| values.iter().cloned().collect()),
            });
        }
        meta::LabelSelector {
            match_labels: (!labels.is_empty()).then_some(labels),
            match_expressions: (!expressions.is_empty()).then_some(expressions),
        }
    }

    /// Whether the selector has no requirements, so that it matches everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
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
            return Ok(Requirement::In(key, BTreeSet::from([self.value()?])));
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

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn operators_select_as_in_kubernetes() {
        let object = labels(&[("app", "web"), ("tier", ""), ("a.b/c", "1.2_3-x")]);
        for (selector, selected) in [
            ("", true),
            ("app=web", true),
            ("app==web", true),
            ("app = web , tier", true),
            ("app=api", false),
            ("app!=web", false),
            ("absent!=web", true),
            ("app in (web, api)", true),
            ("app in (api)", false),
            ("app notin (api,db)", true),
            ("absent notin (a)", true),
            ("app notin (web)", false),
            ("app", true),
            ("absent", false),
            ("!absent", true),
            ("!app", false),
            ("tier=", true),
            ("tier in (,x)", true),
            ("a.b/c=1.2_3-x", true),
            ("app=web,app!=web", false),
            ("in in (in)", false),
        ] {
            let parsed: LabelSelector = selector
                .parse()
                .unwrap_or_else(|error| panic!("{selector}: {error}"));
            assert_eq!(parsed.matches(&object), selected, "{selector}");
        }
    }

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
    fn an_exact_value_is_known() {
        let selector: LabelSelector = "a=b,c in (d,e),f in (g)".parse().unwrap();
        assert_eq!(selector.exact("a"), Some("b"));
        assert_eq!(selector.exact("c"), None);
        assert_eq!(selector.exact("f"), Some("g"));
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused_without_a_panic(text in any::<String>()) {
            let _ = text.parse::<LabelSelector>();
        }
    }
}
