//! Kubernetes label selectors: one type for their text form, as in the query parameter `labelSelector`, and for
//! their object form, as in a PodDisruptionBudget. kube's `Selector` does not serve here: it parses no text,
//! and to match a pod it needs the pod's labels in a map.
//!
//! ```text
//! parse   "app=web,tier in (a,b)"          -> LabelSelector
//! object  {matchLabels, matchExpressions} <-> LabelSelector
//! ```
//!
//! Source of grammar and semantics: `k8s.io/apimachinery/pkg/labels`. `!=` and `notin` also match objects
//! without the key. The numeric operators `>` and `<` are not supported, because no HPA or scale subresource
//! uses them.

mod object;
mod parse;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

pub use parse::{ParseSelectorError, PodSelectorError};

/// A parsed selector. One without requirements matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

/// One requirement on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Equals(String, String),
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
    Exists(String),
    Absent(String),
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
            Requirement::Equals(key, wanted) => label(key) == Some(wanted),
            Requirement::In(key, values) => label(key).is_some_and(|value| values.contains(value)),
            Requirement::NotIn(key, values) => label(key).is_none_or(|value| !values.contains(value)),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
        })
    }

    /// The value that the selector allows for a key, if it allows exactly one.
    #[must_use]
    pub fn exact(&self, key: &str) -> Option<&str> {
        self.known_labels()
            .find_map(|(of, value)| (of == key).then_some(value))
    }

    /// The labels that every selected object has, because the selector allows one value for them.
    pub fn known_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.requirements
            .iter()
            .filter_map(|requirement| Some((requirement.key(), requirement.only_value()?)))
    }

    /// Whether the selector has no requirements, so that it matches everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }
}

impl Requirement {
    fn key(&self) -> &str {
        match self {
            Self::Equals(key, _)
            | Self::In(key, _)
            | Self::NotIn(key, _)
            | Self::Exists(key)
            | Self::Absent(key) => key,
        }
    }

    /// The value that the key must have, if only one is allowed.
    fn only_value(&self) -> Option<&str> {
        match self {
            Self::Equals(_, value) => Some(value),
            Self::In(_, values) if values.len() == 1 => values.first().map(String::as_str),
            Self::In(..) | Self::NotIn(..) | Self::Exists(_) | Self::Absent(_) => None,
        }
    }
}

/// The text form as Kubernetes' `labels.Selector` writes it, with requirements sorted by key, and values sorted.
impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted: Vec<&Requirement> = self.requirements.iter().collect();
        sorted.sort_by_key(|requirement| requirement.key());
        for (index, requirement) in sorted.into_iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &BTreeSet<String>| {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            values.join(",")
        };
        match self {
            Self::Equals(key, value) => write!(f, "{key}={value}"),
            Self::In(key, values) => write!(f, "{key} in ({})", list(values)),
            Self::NotIn(key, values) => write!(f, "{key} notin ({})", list(values)),
            Self::Exists(key) => write!(f, "{key}"),
            Self::Absent(key) => write!(f, "!{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
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
    fn an_exact_value_is_known() {
        let selector: LabelSelector = "a=b,c in (d,e),f in (g)".parse().unwrap();
        assert_eq!(selector.exact("a"), Some("b"));
        assert_eq!(selector.exact("c"), None);
        assert_eq!(selector.exact("f"), Some("g"));
    }

    #[test]
    fn known_labels_are_those_that_every_selected_object_has() {
        let selector: LabelSelector = "app=gateway,env in (a),zone in (x,y),!old,tier!=web"
            .parse()
            .unwrap();
        let known: Vec<_> = selector.known_labels().collect();
        assert_eq!(known, [("app", "gateway"), ("env", "a")]);
    }

    #[test]
    fn a_contradiction_stays_one() {
        let selector: LabelSelector = "app=a,app=b".parse().unwrap();
        assert!(!selector.matches(&labels(&[("app", "a")])));
        assert!(!selector.matches(&labels(&[("app", "b")])));
    }
}
