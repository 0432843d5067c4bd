//! Finds metrics that select series which they are never shown: a matcher of the author names another
//! namespace or another cluster than the one that the metric is bound to. Such a metric would never have a
//! series, and `onMissing: Zero` would make that a zero.
//!
//! An example in namespace `mine`: `sum(a{namespace="other"})` is bound to
//! `sum(a{namespace="other",namespace="mine"})`, which matches nothing.

use std::collections::BTreeMap;

use promql_parser::{
    label::MatchOp,
    parser::{BinaryExpr, Expr, MatrixSelector, VectorSelector, token},
};

use super::{LabelName, children, constant::constant_vector};
use crate::spec::model::Series;
use vas_api::v1alpha1::{MatchExpression, MatchOperator};

/// A matcher of the author that contradicts a matcher that every selector gets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it selects {label}{operator}{found:?}, but is shown only series with {label}={bound:?}, so it can never have a value"
)]
pub struct Contradiction {
    /// Name of the label in both matchers.
    pub label: String,
    /// The operator of the author's matcher: `=`, `!=`, `=~` or `!~`.
    pub operator: &'static str,
    /// The value or the regular expression that the author selects by.
    pub found: String,
    /// The value that every selector gets.
    pub bound: String,
}

/// Matchers that are added to every selector.
pub(super) type Bound<'a> = [(&'a LabelName, &'a str)];

/// The contradiction in the matchers beside a counter's or a gauge's name, if there is one. [`in_query`]
/// finds those of an author's own query.
pub(super) fn in_series(series: &Series, bound: &Bound<'_>) -> Option<Contradiction> {
    let (labels, expressions) = match series {
        Series::RequestRate {
            match_labels,
            match_expressions,
            ..
        } => (match_labels, match_expressions.as_slice()),
        Series::Gauge { match_labels, .. } | Series::PodGauge { match_labels, .. } => {
            (match_labels, [].as_slice())
        }
        Series::Query { .. } | Series::PodQuery { .. } => return None,
    };
    let mut expressions = expressions.iter();
    in_labels(labels, bound).or_else(|| expressions.find_map(|expression| in_expression(expression, bound)))
}

/// The contradiction of an expression whose values leave out the one value that is shown.
fn in_expression(expression: &MatchExpression, bound: &Bound<'_>) -> Option<Contradiction> {
    let values = expression.values.iter().map(String::as_str);
    let (operator, values) = match expression.operator {
        MatchOperator::In => (Operator::Equal, values.collect()),
        MatchOperator::NotIn => (Operator::NotEqual, values.collect()),
        MatchOperator::Matches => (Operator::Matches, literals(expression.values.first()?)?),
        MatchOperator::NotMatches => (Operator::NotMatches, literals(expression.values.first()?)?),
    };
    let label = bound.iter().find(|(label, _)| label.as_str() == expression.key);
    of_values(label?, operator, &values, expression.values.join(", "))
}

/// The contradiction in `matchLabels`.
fn in_labels(labels: &BTreeMap<String, String>, bound: &Bound<'_>) -> Option<Contradiction> {
    labels
        .iter()
        .find_map(|(label, value)| of_matcher(label, Operator::Equal, value, bound))
}

/// The contradiction that leaves a query without series, if there is one. An `or` has series while one side
/// has, and a right side such as `vector(0)` does not count, because its number would hide the mistake. There
/// is no `_` arm, so that a new kind of expression is a compile error.
pub(super) fn in_query(expr: &Expr, bound: &Bound<'_>) -> Option<Contradiction> {
    match expr {
        Expr::VectorSelector(selector) => in_selector(selector, bound),
        Expr::MatrixSelector(MatrixSelector { vs, range: _ }) => in_selector(vs, bound),
        Expr::Binary(BinaryExpr {
            op,
            lhs,
            rhs,
            modifier: _,
        }) => {
            let left = in_query(lhs, bound);
            match op.id() {
                // An empty right side of `unless` takes nothing away.
                token::T_LUNLESS => left,
                token::T_LOR if constant_vector(rhs).is_some() => left,
                token::T_LOR => left.and_then(|left| in_query(rhs, bound).map(|_| left)),
                // All other operators give a series only where both sides have one.
                _ => left.or_else(|| in_query(rhs, bound)),
            }
        }
        Expr::Aggregate(_)
        | Expr::Unary(_)
        | Expr::Paren(_)
        | Expr::Subquery(_)
        | Expr::Call(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::Extension(_) => children(expr)
            .into_iter()
            .find_map(|child| in_query(child, bound)),
    }
}

fn in_selector(selector: &VectorSelector, bound: &Bound<'_>) -> Option<Contradiction> {
    selector.matchers.matchers.iter().find_map(|matcher| {
        let operator = match matcher.op {
            MatchOp::Equal => Operator::Equal,
            MatchOp::NotEqual => Operator::NotEqual,
            MatchOp::Re(_) => Operator::Matches,
            MatchOp::NotRe(_) => Operator::NotMatches,
        };
        of_matcher(&matcher.name, operator, &matcher.value, bound)
    })
}

/// The operator of a matcher.
#[derive(Clone, Copy)]
enum Operator {
    Equal,
    NotEqual,
    Matches,
    NotMatches,
}

impl Operator {
    fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::NotMatches => "!~",
        }
    }
}

fn of_matcher(label: &str, operator: Operator, value: &str, bound: &Bound<'_>) -> Option<Contradiction> {
    let bound = bound.iter().find(|(name, _)| name.as_str() == label)?;
    let values = match operator {
        Operator::Equal | Operator::NotEqual => vec![value],
        Operator::Matches | Operator::NotMatches => literals(value)?,
    };
    of_values(bound, operator, &values, value.to_owned())
}

/// The contradiction of a matcher that names exactly `values`; `found` is how its author wrote them.
fn of_values(
    (label, shown): &(&LabelName, &str),
    operator: Operator,
    values: &[&str],
    found: String,
) -> Option<Contradiction> {
    let named = values.contains(shown);
    let leaves_nothing = match operator {
        Operator::Equal | Operator::Matches => !named,
        Operator::NotEqual | Operator::NotMatches => named,
    };
    leaves_nothing.then(|| Contradiction {
        label: label.to_string(),
        operator: operator.symbol(),
        found,
        bound: (*shown).to_owned(),
    })
}

/// The values that a regular expression matches, where it is a plain list such as `a|b`. Every other
/// regular expression is not judged, because none is compiled here.
fn literals(regex: &str) -> Option<Vec<&str>> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_/:, ".contains(letter);
    regex
        .split('|')
        .map(|part| part.chars().all(plain).then_some(part))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::promql::parse;

    fn found(query: &str) -> Option<String> {
        let label: LabelName = "namespace".parse().unwrap();
        let contradiction = in_query(&parse(query).unwrap(), &[(&label, "mine")]);
        contradiction.map(|contradiction| contradiction.found)
    }

    #[test]
    fn a_query_that_can_only_be_about_another_namespace_is_told() {
        for query in [
            r#"a{namespace="other"}"#,
            r#"sum(rate(a{namespace="other"}[5m])) / sum(rate(b[5m]))"#,
            r#"b - a{namespace="other"}"#,
            r#"topk(scalar(a{namespace="other"}), b)"#,
            r#"max_over_time(sum(a{namespace="other"})[10m:1m])"#,
            r#"absent(a{namespace="other"})"#,
            r#"a{namespace="other"} unless b"#,
            r#"b and on () a{namespace="other"}"#,
            r#"a{namespace="other"} or b{namespace="other"}"#,
            r#"sum(a{namespace="other"}) or vector(0)"#,
            r#"-(a{namespace="other", namespace=~".+"})"#,
            r#"sum(a{namespace=~"other"})"#,
        ] {
            assert_eq!(found(query).as_deref(), Some("other"), "{query}");
        }
    }

    #[test]
    fn a_query_that_can_have_series_is_not() {
        for query in [
            "a",
            r#"a{namespace="mine"}"#,
            r#"a{namespace=~"mine|other"}"#,
            r#"a{namespace!="other"}"#,
            r#"a{namespace!~"other|another"}"#,
            r#"a{namespace!~"other|m.*"}"#,
            r#"a{namespace=~"m(ine)?"}"#,
            r#"a{exported_namespace="other"}"#,
            r#"b or a{namespace="other"}"#,
            r#"b unless a{namespace="other"}"#,
            "vector(1)",
        ] {
            assert_eq!(found(query), None, "{query}");
        }
    }

    #[test]
    fn a_query_that_leaves_out_its_own_namespace_is_told() {
        for (query, words) in [
            (r#"a{namespace!="mine"}"#, "mine"),
            (r#"a{namespace!~"mine"}"#, "mine"),
            (r#"a{namespace!~"other|mine"}"#, "other|mine"),
            (r#"a{namespace=~"other|another"}"#, "other|another"),
            (r#"a{namespace=""}"#, ""),
        ] {
            assert_eq!(found(query).as_deref(), Some(words), "{query}");
        }
    }

    #[test]
    fn match_labels_are_looked_at_too() {
        let cluster: LabelName = "cluster".parse().unwrap();
        let labels = BTreeMap::from([("cluster".to_owned(), "us".to_owned())]);
        let found = in_labels(&labels, &[(&cluster, "eu")]).unwrap();
        assert_eq!(
            found.to_string(),
            r#"it selects cluster="us", but is shown only series with cluster="eu", so it can never have a value"#
        );
        assert_eq!(in_labels(&labels, &[(&cluster, "us")]), None);
        let found = |operator, values: &[&str]| {
            let expression = MatchExpression {
                key: "cluster".to_owned(),
                operator,
                values: values.iter().map(ToString::to_string).collect(),
            };
            let contradiction = in_expression(&expression, &[(&cluster, "eu")]);
            contradiction.map(|contradiction| format!("{}{}", contradiction.operator, contradiction.found))
        };
        for (operator, values, words) in [
            (MatchOperator::In, &["us", "ap"][..], "=us, ap"),
            (MatchOperator::NotIn, &["us", "eu"], "!=us, eu"),
            (MatchOperator::Matches, &["us|ap"], "=~us|ap"),
            (MatchOperator::NotMatches, &["us|eu"], "!~us|eu"),
        ] {
            assert_eq!(found(operator, values).as_deref(), Some(words));
        }
        for (operator, values) in [
            (MatchOperator::In, &["us", "eu"][..]),
            (MatchOperator::NotIn, &["us", "ap"]),
            (MatchOperator::Matches, &["us|e."]),
            (MatchOperator::NotMatches, &["us|e."]),
        ] {
            assert_eq!(found(operator, values), None, "{operator:?} {values:?}");
        }
    }
}
