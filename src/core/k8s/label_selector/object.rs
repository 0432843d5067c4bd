//! The object form of a label selector, as a PodDisruptionBudget or a metric of an HPA has it.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;

use super::{LabelSelector, Requirement};

impl From<&meta::LabelSelector> for LabelSelector {
    fn from(object: &meta::LabelSelector) -> Self {
        let labels = object.match_labels.iter().flatten();
        let labels = labels.map(|(key, value)| Requirement::Equals(key.clone(), value.clone()));
        let expressions = object.match_expressions.iter().flatten().map(|expression| {
            let key = expression.key.clone();
            let values = || -> BTreeSet<String> { expression.values.iter().flatten().cloned().collect() };
            match expression.operator.as_str() {
                "In" => Requirement::In(key, values()),
                "NotIn" => Requirement::NotIn(key, values()),
                "Exists" => Requirement::Exists(key),
                "DoesNotExist" => Requirement::Absent(key),
                // The API server knows no other operator. No value satisfies this requirement.
                _ => Requirement::In(key, BTreeSet::new()),
            }
        });
        Self {
            requirements: labels.chain(expressions).collect(),
        }
    }
}

impl LabelSelector {
    /// The object form.
    #[must_use]
    pub fn object(&self) -> meta::LabelSelector {
        let mut labels = BTreeMap::new();
        let mut expressions = Vec::new();
        for requirement in &self.requirements {
            let key = requirement.key();
            // A map holds one value per key. A second requirement on the key becomes an expression, so that
            // both must hold.
            if let Some(value) = requirement.only_value()
                && !labels.contains_key(key)
            {
                labels.insert(key.to_owned(), value.to_owned());
                continue;
            }
            let (operator, values) = match requirement {
                Requirement::Equals(_, value) => ("In", Some(vec![value.clone()])),
                Requirement::In(_, values) => ("In", Some(values.iter().cloned().collect())),
                Requirement::NotIn(_, values) => ("NotIn", Some(values.iter().cloned().collect())),
                Requirement::Exists(_) => ("Exists", None),
                Requirement::Absent(_) => ("DoesNotExist", None),
            };
            expressions.push(meta::LabelSelectorRequirement {
                key: key.to_owned(),
                operator: operator.to_owned(),
                values,
            });
        }
        meta::LabelSelector {
            match_labels: (!labels.is_empty()).then_some(labels),
            match_expressions: (!expressions.is_empty()).then_some(expressions),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{super::tests::labels, *};

    fn parse(text: &str) -> LabelSelector {
        text.parse().unwrap()
    }

    #[test]
    fn equality_becomes_match_labels() {
        let selector = parse("app=gateway,tier==web").object();
        assert_eq!(
            selector.match_labels,
            Some(labels(&[("app", "gateway"), ("tier", "web")]))
        );
        assert_eq!(selector.match_expressions, None);
    }

    #[test]
    fn sets_become_expressions() {
        let selector = parse("env in (a, b),team notin (x),!old,example.com/on,zone!=c").object();
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
        let object: meta::LabelSelector = serde_json::from_value(json!({
            "matchLabels": {"b": "c"},
            "matchExpressions": [
                {"key": "d", "operator": "In", "values": ["z", "y"]},
                {"key": "f", "operator": "In", "values": ["g"]},
                {"key": "q", "operator": "DoesNotExist"},
                {"key": "a", "operator": "Exists"},
                {"key": "e", "operator": "NotIn", "values": ["x"]},
            ],
        }))
        .unwrap();
        let selector = LabelSelector::from(&object);
        assert_eq!(selector.to_string(), "a,b=c,d in (y,z),e notin (x),f in (g),!q");
        assert_eq!(
            LabelSelector::from(&meta::LabelSelector::default()).to_string(),
            ""
        );
    }

    #[test]
    fn an_operator_that_nobody_knows_selects_nothing() {
        let object = serde_json::from_value(
            json!({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}),
        );
        let selector = LabelSelector::from(&object.unwrap());
        assert!(!selector.matches(&labels(&[("a", "1")])));
        assert!(!selector.matches(&labels(&[])));
    }

    proptest! {
        #[test]
        fn both_forms_select_the_same(
            text in "((a|b|a/c) (=|!=) (x|y|)|(a|b) (in|notin) \\((x|x,y|)\\)|!?(a|b))(,((a|b)(=|!=)(x|y)|!?(a|b))){0,3}",
            values in proptest::collection::btree_map("a|b|a/c", "x|y|", 0..3),
        ) {
            let selector = parse(&text);
            let object = LabelSelector::from(&selector.object());
            prop_assert_eq!(selector.matches(&values), object.matches(&values));
            let again = parse(&selector.to_string());
            prop_assert_eq!(selector.matches(&values), again.matches(&values));
        }
    }
}
