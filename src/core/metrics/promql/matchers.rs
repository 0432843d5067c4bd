//! The matchers that select the series of this cluster, where several clusters share one Prometheus.

use std::collections::BTreeMap;

use super::{InvalidLabelName, LabelName, quote};

/// Equality matchers that are added to every selector of every query to one Prometheus, for example
/// `cluster="eu-1"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Matchers(BTreeMap<LabelName, String>);

/// One such matcher, written as `LABEL=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    /// Name of the label.
    pub label: LabelName,
    /// The value that the label must have; any text.
    pub value: String,
}

/// Why a text is no matcher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMatcher {
    /// The text has no equals sign.
    #[error("{0:?} is not LABEL=VALUE, such as cluster=eu-1")]
    Form(String),
    /// The part before the equals sign is no label name.
    #[error(transparent)]
    Label(#[from] InvalidLabelName),
}

/// The error for a matcher on a label that every query matches already.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is matched already; remove it")]
pub struct ReservedLabel(pub LabelName);

impl Matchers {
    /// Each label with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&LabelName, &str)> {
        self.0.iter().map(|(label, value)| (label, value.as_str()))
    }

    /// The first label that a query matches already: that of the namespace, of the pod, or of the metric's
    /// name.
    #[must_use]
    pub fn reserved(&self, namespace: &LabelName, pod: &LabelName) -> Option<&LabelName> {
        self.0
            .keys()
            .find(|label| *label == namespace || *label == pod || label.as_str() == "__name__")
    }
}

impl FromIterator<Matcher> for Matchers {
    fn from_iter<T: IntoIterator<Item = Matcher>>(matchers: T) -> Self {
        Self(matchers.into_iter().map(|one| (one.label, one.value)).collect())
    }
}

impl std::fmt::Display for Matchers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all: Vec<String> = self
            .iter()
            .map(|(label, value)| format!("{label}={}", quote(value)))
            .collect();
        f.write_str(&all.join(","))
    }
}

impl std::str::FromStr for Matcher {
    type Err = InvalidMatcher;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (label, value) = text
            .split_once('=')
            .ok_or_else(|| InvalidMatcher::Form(text.to_owned()))?;
        Ok(Self {
            label: label.parse()?,
            value: value.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_is_a_label_and_a_value_that_may_be_anything() {
        let matchers: Result<Matchers, InvalidMatcher> = ["cluster=eu-1", "region=a=\"b\"", "stage="]
            .into_iter()
            .map(str::parse::<Matcher>)
            .collect();
        assert_eq!(
            matchers.unwrap().to_string(),
            r#"cluster="eu-1",region="a=\"b\"",stage="""#
        );
        assert!(matches!(
            "cluster".parse::<Matcher>(),
            Err(InvalidMatcher::Form(_))
        ));
        assert!(matches!(
            "a-b=c".parse::<Matcher>(),
            Err(InvalidMatcher::Label(_))
        ));
    }

    #[test]
    fn what_is_matched_by_other_means_is_reserved() {
        let (namespace, pod) = ("ns".parse().unwrap(), "pod".parse().unwrap());
        let reserved = |text: &str| {
            let matchers: Matchers = [text.parse().unwrap()].into_iter().collect();
            matchers.reserved(&namespace, &pod).is_some()
        };
        assert!(reserved("ns=a") && reserved("pod=a") && reserved("__name__=a"));
        assert!(!reserved("namespace=a") && !reserved("cluster=a"));
    }
}
