//! Queries of the escape hatch: they must parse and have one number per series as their result.

use promql_parser::parser::{self, value::ValueType};

/// Longest query, the schema's own bound. It is checked before parsing: the tree is walked recursively, and
/// no query may exhaust the stack of the process that checks every other resource too. The worst queries of
/// this length (nested brackets, long operator chains) need less than 256 KiB of stack.
const MAX_LENGTH: usize = 4096;

/// Why a query was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryError {
    /// Prometheus would refuse it.
    #[error("not a PromQL query: {0}")]
    Malformed(String),
    /// The result is a range or a string.
    #[error("the query's result is a {0}; it must be a scalar or an instant vector with one series")]
    ResultType(&'static str),
    /// Too long to be parsed safely.
    #[error(
        "the query must have at most {MAX_LENGTH} characters; shorten it, for example with a recording rule"
    )]
    TooLong,
}

/// Checks a query.
pub(super) fn check(query: &str) -> Result<(), QueryError> {
    if query.len() > MAX_LENGTH {
        return Err(QueryError::TooLong);
    }
    let expression = parser::parse(query).map_err(QueryError::Malformed)?;
    match expression.value_type() {
        ValueType::Vector | ValueType::Scalar => Ok(()),
        ValueType::Matrix => Err(QueryError::ResultType("range vector")),
        ValueType::String => Err(QueryError::ResultType("string")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_instant_vectors_are_fine() {
        for query in [
            "5",
            "vector(1)",
            r#"sum(some_metric{namespace="voiceassist"})"#,
            "max by (queue) (rate(jobs_total[5m])) / 2",
            "histogram_quantile(0.95, sum by (le) (rate(latency_bucket[5m])))",
            "sum(x offset 5m) or vector(0)",
        ] {
            assert_eq!(check(query), Ok(()), "{query}");
        }
    }

    #[test]
    fn what_has_no_number_per_series_is_refused() {
        assert_eq!(check("x[5m]"), Err(QueryError::ResultType("range vector")));
        assert_eq!(check("\"text\""), Err(QueryError::ResultType("string")));
    }

    #[test]
    fn what_prometheus_would_refuse_is_refused() {
        for query in [
            "",
            "sum(",
            "sum(x",
            "x{a=}",
            "rate(x)",
            "no_such_function(x)",
            "{}",
            "x y",
        ] {
            assert!(matches!(check(query), Err(QueryError::Malformed(_))), "{query}");
        }
    }

    #[test]
    fn the_worst_queries_fit_a_small_stack() {
        let worst = [
            format!("1{}", "+1".repeat(2047)),
            format!("1{}", "^1".repeat(2047)),
            format!("{}1", "-".repeat(4095)),
            format!("{}1{}", "(".repeat(2047), ")".repeat(2047)),
            format!("{}x{}", "abs(".repeat(818), ")".repeat(818)),
            format!("a{}", " or a".repeat(818)),
            format!("a{}", "[1s:]".repeat(818)),
        ];
        let small = std::thread::Builder::new().stack_size(512 * 1024);
        let checked = small.spawn(move || worst.iter().filter(|query| check(query).is_ok()).count());
        assert!(checked.unwrap().join().unwrap() > 0);
    }

    #[test]
    fn a_query_that_is_too_long_is_not_parsed() {
        assert_eq!(check(&"-".repeat(4097)), Err(QueryError::TooLong));
    }
}
