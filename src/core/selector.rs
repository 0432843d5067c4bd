//! Label selectors: from the text form of a scale subresource to the object form of a PodDisruptionBudget,
//! and matching.
//!
//! The grammar is that of `k8s.io/apimachinery/pkg/labels`: `a=b,c!=d,e in (x,y),f notin (z),g,!h`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

/// Why a selector was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a label selector: {0:?}")]
pub struct ParseSelectorError(String);

/// Parses the text form. An empty text is refused: as a PodDisruptionBudget's selector it would take in
/// every pod of the namespace.
///
/// # Errors
/// When the text is empty, not in the grammar, or uses `<` or `>`, which the object form does not have.
pub fn parse(text: &str) -> Result<LabelSelector, ParseSelectorError> {
    let refuse = || ParseSelectorError(text.to_owned());
    let mut labels = BTreeMap::new();
    let mut expressions = Vec::new();
    for requirement in requirements(text) {
        let requirement = requirement.trim();
        if let Some((key, values)) = set_form(requirement, " in") {
            expressions.push(expression(key, "In", Some(values)));
        } else if let Some((key, values)) = set_form(requirement, " notin") {
            expressions.push(expression(key, "NotIn", Some(values)));
        } else if let Some((key, value)) = requirement.split_once("!=") {
            expressions.push(expression(
                key.trim(),
                "NotIn",
                Some(vec![value.trim().to_owned()]),
            ));
        } else if let Some((key, value)) = requirement
            .split_once("==")
            .or_else(|| requirement.split_once('='))
        {
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            // Twice the same key: both must hold, which a map cannot say.
            match labels.get(&key) {
                Some(other) if *other != value => {
                    expressions.push(expression(&key, "In", Some(vec![value])));
                }
                _ => {
                    labels.insert(key, value);
                }
            }
        } else if let Some(key) = requirement.strip_prefix('!') {
            expressions.push(expression(key.trim(), "DoesNotExist", None));
        } else {
            expressions.push(expression(requirement, "Exists", None));
        }
    }
    let mut keys = labels
        .keys()
        .chain(expressions.iter().map(|expression| &expression.key));
    if !keys.all(|key| is_key(key)) || (labels.is_empty() && expressions.is_empty()) {
        return Err(refuse());
    }
    Ok(LabelSelector {
        match_labels: (!labels.is_empty()).then_some(labels),
        match_expressions: (!expressions.is_empty()).then_some(expressions),
    })
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
                "NotIn" => !value.is_some_and(|value| listed(expression, value)),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
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

/// Splits at the commas outside parentheses.
fn requirements(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    text.split(move |char| {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        char == ',' && depth == 0
    })
}

/// `key in (a,b)` as key and values.
fn set_form<'a>(requirement: &'a str, operator: &str) -> Option<(&'a str, Vec<String>)> {
    let (key, list) = requirement.split_once(operator)?;
    let list = list.trim().strip_prefix('(')?.strip_suffix(')')?;
    let values = list.split(',').map(|value| value.trim().to_owned()).collect();
    Some((key.trim(), values))
}

fn expression(key: &str, operator: &str, values: Option<Vec<String>>) -> LabelSelectorRequirement {
    LabelSelectorRequirement {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values,
    }
}

fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
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
