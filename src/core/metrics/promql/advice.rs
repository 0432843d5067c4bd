//! Advice on a query that is valid but may not mean what its author thinks.

use promql_parser::parser::{BinaryExpr, Expr, token};

use super::{
    Contradiction, LabelName, QueryError, Reach, TooFar, children, constant::constant_vector, contradiction,
    query::parse,
};

/// One piece of advice on a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Advice {
    /// The query has `or vector(N)`, which turns missing data into a number that no later check can
    /// recognize.
    #[error(
        "`or vector({0})` turns missing data into {0}, also while Prometheus has lost the series, and does not help \
         against NaN; leave it out and write onMissing: Zero where no series means zero, and `x / (y > 0)` against a \
         division by zero"
    )]
    OrVector(String),
    /// A metrics server refuses the query unless its flags say otherwise.
    #[error("a metrics server refuses the query unless its flags say otherwise: {0}")]
    BeyondDefault(#[from] TooFar),
    /// The query selects another namespace than that of its resource.
    #[error("{0}, unless the metrics server's --namespace-label is another label")]
    Contradiction(#[from] Contradiction),
}

/// The advice on an author's query.
///
/// # Errors
/// See [`QueryError`].
pub fn advise(query: &str) -> Result<Vec<Advice>, QueryError> {
    advise_bound(query, &[])
}

/// The advice on an author's query whose selectors are bound to these labels.
///
/// # Errors
/// See [`QueryError`].
pub fn advise_bound(query: &str, bound: &[(&LabelName, &str)]) -> Result<Vec<Advice>, QueryError> {
    let expr = parse(query)?;
    let mut found = Vec::new();
    or_vector(&expr, &mut found);
    found.extend(Reach::DEFAULT.check(&expr).err().map(Advice::BeyondDefault));
    found.extend(contradiction::in_query(&expr, bound).map(Advice::Contradiction));
    Ok(found)
}

/// Finds each `or` whose right side is a constant number.
fn or_vector(expr: &Expr, found: &mut Vec<Advice>) {
    // `sum(a) or vector(0)`: on the right side. A number on the left side would always win, which its author
    // would notice.
    if let Expr::Binary(BinaryExpr { op, rhs, .. }) = expr
        && op.id() == token::T_LOR
        && let Some(number) = constant_vector(rhs)
    {
        let advice = Advice::OrVector(number);
        if !found.contains(&advice) {
            found.push(advice);
        }
    }
    for child in children(expr) {
        or_vector(child, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_place_of_missing_data_is_remarked_wherever_it_stands() {
        for (query, number) in [
            ("sum(a) or vector(0)", "0"),
            ("sum(a) OR on() vector(1)", "1"),
            ("max((sum(a) or (vector(-1))) * 2)", "-1"),
            ("sum(a or sum(vector(0)))", "0"),
            ("topk(scalar(a or vector(2)), b)", "2"),
            ("max_over_time((a or vector(3))[5m:1m])", "3"),
        ] {
            assert_eq!(
                advise(query),
                Ok(vec![Advice::OrVector(number.to_owned())]),
                "{query}"
            );
        }
        for query in [
            "sum(a)",
            "sum(a) + vector(0)",
            "a or b",
            "sum(a{b=\"or vector(0)\"}) # or vector(0)",
            "vector(0) or a",
        ] {
            assert_eq!(advise(query), Ok(vec![]), "{query}");
        }
    }

    #[test]
    fn a_query_that_only_a_flag_lets_pass_is_remarked() {
        let advice = advise("max_over_time(rate(a[2h])[10m:1m])").unwrap();
        assert!(
            matches!(advice.as_slice(), [Advice::BeyondDefault(TooFar::Range { .. })]),
            "{advice:?}"
        );
    }
}
