//! Label selectors in their object form, as a PodDisruptionBudget has them. They come from the text form of a
//! scale subresource, which [`crate::k8s::label_selector`] parses.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::label_selector::{self, ParseSelectorError};

/// Why a PodDisruptionBudget cannot use a selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// The text does not parse.
    #[error(transparent)]
    Parse(#[from] ParseSelectorError),
    /// The selector is empty and would select every pod of the namespace.
    #[error("an empty label selector, which selects every pod of the namespace")]
    Empty,
}

/// Parses the text form into the object form.
///
/// # Errors
/// See [`SelectorError`].
pub fn parse(text: &str) -> Result<LabelSelector, SelectorError> {
    let selector: label_selector::LabelSelector = text.parse()?;
    if selector.is_empty() {
        return Err(SelectorError::Empty);
    }
    Ok(selector.object())
}

/// The text form as Kubernetes' `labels.Selector` writes it, with terms sorted by key, and values sorted.
pub fn text(selector: &LabelSelector) -> String {
    let equal = selector.match_labels.iter().flatten();
    let equal = equal.map(|(key, value)| (key, format!("{key}={value}")));
    let expressions = selector.match_expressions.iter().flatten().map(|expression| {
        let key = &expression.key;
        let mut values = expression.values.clone().unwrap_or_default();
        values.sort();
        let values = values.join(",");
        let term = match expression.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        };
        (key, term)
    });
    let mut terms: Vec<(&String, String)> = equal.chain(expressions).collect();
    terms.sort_by_key(|(key, _)| *key);
    let terms: Vec<String> = terms.into_iter().map(|(_, term)| term).collect();
    terms.join(",")
}

/// Whether pods with these labels are selected. An empty selector selects everything, as in `policy/v1`.
pub fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector
        .match_labels
        .iter()
        .flatten()
        .all(|(key, value)| labels.get(key) == Some(value));
    let listed = |expression: &LabelSelectorRequirement, value: &String| {
        expression.values.iter().flatten().any(|one| one == value)
    };
    equal
        && selector.match_expressions.iter().flatten().all(|expression| {
            let value = labels.get(&expression.key);
            match expression.operator.as_str() {
                "In" => value.is_some_and(|value| listed(expression, value)),
                // A pod without the label is selected too.
                "NotIn" => !value.is_some_and(|value| listed(expression, value)),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                // The API server knows no other operator.
                _ => false,
            }
        })
}

/// The labels that every selected pod is known to have.
pub fn known_labels(selector: &LabelSelector) -> BTreeMap<String, String> {
    let mut labels = selector.match_labels.clone().unwrap_or_default();
    for expression in selector.match_expressions.iter().flatten() {
        if let ("In", Some([value])) = (expression.operator.as_str(), expression.values.as_deref()) {
            labels.insert(expression.key.clone(), value.clone());
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn equality_becomes_match_labels() {
        let selector = parse("app=gateway,tier==web").unwrap();
        assert_eq!(
            selector.match_labels,
            Some(labels(&[("app", "gateway"), ("tier", "web")]))
        );
        assert_eq!(selector.match_expressions, None);
    }

    #[test]
    fn sets_become_expressions() {
        let selector = parse("env in (a, b),team notin (x),!old,example.com/on,zone!=c").unwrap();
        let expressions = selector.match_expressions.unwrap();
        let operators: Vec<_> = expressions
            .iter()
            .map(|one| (one.key.as_str(), one.operator.as_str()))
            .collect();
        assert_eq!(
            operators,
            [
                ("env", "In"),
                ("team", "NotIn"),
                ("old", "DoesNotExist"),
                ("example.com/on", "Exists"),
                ("zone", "NotIn")
            ]
        );
        assert_eq!(expressions[0].values, Some(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn the_text_form_is_that_of_kubernetes() {
        let selector: LabelSelector = serde_json::from_value(serde_json::json!({
            "matchLabels": {"b": "c"},
            "matchExpressions": [
                {"key": "d", "operator": "In", "values": ["z", "y"]},
                {"key": "q", "operator": "DoesNotExist"},
                {"key": "a", "operator": "Exists"},
                {"key": "e", "operator": "NotIn", "values": ["x"]},
            ],
        }))
        .unwrap();
        assert_eq!(text(&selector), "a,b=c,d in (y,z),e notin (x),!q");
        assert_eq!(text(&LabelSelector::default()), "");
    }

    #[test]
    fn a_contradiction_stays_one() {
        let selector = parse("app=a,app=b").unwrap();
        assert!(!matches(&selector, &labels(&[("app", "a")])));
        assert!(!matches(&selector, &labels(&[("app", "b")])));
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in ["", ",", "a>5", "=b", "a in x", "!"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_operator_matches_as_kubernetes_does() {
        let pods = labels(&[("app", "gateway"), ("env", "a")]);
        for (text, expected) in [
            ("app=gateway", true),
            ("app=worker", false),
            ("app!=worker", true),
            ("missing!=x", true),
            ("env in (a,b)", true),
            ("env notin (a)", false),
            ("env", true),
            ("!env", false),
            ("!missing", true),
            ("app=gateway,env=b", false),
        ] {
            assert_eq!(matches(&parse(text).unwrap(), &pods), expected, "{text}");
        }
        assert!(matches(&LabelSelector::default(), &pods));
    }

    #[test]
    fn known_labels_are_those_every_pod_must_have() {
        let selector = parse("app=gateway,env in (a),zone in (x,y)").unwrap();
        assert_eq!(
            known_labels(&selector),
            labels(&[("app", "gateway"), ("env", "a")])
        );
    }
}
