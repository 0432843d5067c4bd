//! Turns `matchExpressions` into matchers of a selector. A regular expression is passed on and never compiled
//! here.

use super::{InvalidMatcherName, matcher_name, quote, quote_any_of};
use vas_api::v1alpha1::{MatchExpression, MatchOperator};

/// Turns one expression into a matcher: `In [a, b]` becomes `label=~"a|b"`, `In [a]` becomes `label="a"`.
///
/// # Errors
/// When the key is no label name.
pub fn matcher(expression: &MatchExpression) -> Result<String, InvalidMatcherName> {
    let label = matcher_name(&expression.key)?;
    let values = expression.values.iter().map(String::as_str);
    let one = match expression.values.as_slice() {
        [one] => Some(quote(one)),
        _ => None,
    };
    // One value needs no regular expression, and `=` is what an author would write.
    Ok(match expression.operator {
        MatchOperator::In => match one {
            Some(one) => format!("{label}={one}"),
            None => format!("{label}=~{}", quote_any_of(values)),
        },
        MatchOperator::NotIn => match one {
            Some(one) => format!("{label}!={one}"),
            None => format!("{label}!~{}", quote_any_of(values)),
        },
        // The rules of the resource allow one value here. Several values would match one expression or the
        // other.
        MatchOperator::Matches => format!("{label}=~{}", quote(&expression.values.join("|"))),
        MatchOperator::NotMatches => format!("{label}!~{}", quote(&expression.values.join("|"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operator_is_a_matcher_of_promql() {
        use MatchOperator::{In, Matches, NotIn, NotMatches};
        for (operator, values, expected) in [
            (In, &["a"][..], r#"code="a""#),
            (In, &["5.x", "b"], r#"code=~"5\\.x|b""#),
            (NotIn, &["a"], r#"code!="a""#),
            (NotIn, &["a", "b"], r#"code!~"a|b""#),
            (Matches, &["5.."], r#"code=~"5..""#),
            (NotMatches, &["/health|\"}"], r#"code!~"/health|\"}""#),
        ] {
            let expression = MatchExpression {
                key: "code".to_owned(),
                operator,
                values: values.iter().map(ToString::to_string).collect(),
            };
            assert_eq!(matcher(&expression).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn a_key_that_is_no_label_name_is_refused() {
        let expression = MatchExpression {
            key: "a} or vector(1) #".to_owned(),
            operator: MatchOperator::In,
            values: vec!["b".to_owned()],
        };
        assert!(matcher(&expression).is_err());
    }
}
