//! Binds an author's own query to the namespace of its resource.
//!
//! The query is parsed, an equality matcher is added to every selector of the tree, and the text that is sent
//! is rendered from that tree: what the parser did not understand never reaches Prometheus. An example: in
//! namespace `mine`, `sum(a) / sum(b{c="d"})` becomes
//! `sum(a{namespace="mine"}) / sum(b{c="d",namespace="mine"})`.

use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{Expr, MatrixSelector, VectorSelector},
};

use super::{
    LabelName, Labels, QueryError, Reach, children_mut, contradiction,
    query::{parse_instant, render},
};

/// Adds `label="namespace"` to every selector of `query` and renders the result. Accepts every query that a
/// metrics server accepts with its widest limits.
///
/// # Errors
/// See [`QueryError`].
pub fn pin_namespace(query: &str, label: &LabelName, namespace: &str) -> Result<String, QueryError> {
    pin(parse_within(query, Reach::WIDEST)?, &[(label, namespace)])
}

/// The text of a query as it is sent to a Prometheus with these labels, for a resource in `namespace`. Where
/// queries are not bound to a namespace (`None`), every selector still has the matchers of the server.
/// Accepts every query that a metrics server accepts with its widest limits.
///
/// # Errors
/// See [`QueryError`].
pub fn bind_query(labels: &Labels, namespace: Option<&str>, query: &str) -> Result<String, QueryError> {
    bind_within(labels, namespace, query, Reach::WIDEST)
}

/// Like [`bind_query`], for a metrics server with narrower limits.
///
/// # Errors
/// See [`QueryError`].
pub(super) fn bind_within(
    labels: &Labels,
    namespace: Option<&str>,
    query: &str,
    reach: Reach,
) -> Result<String, QueryError> {
    let expr = parse_within(query, reach)?;
    let bound = labels.bound_to(namespace);
    if let Some(contradiction) = contradiction::in_query(&expr, &bound) {
        return Err(contradiction.into());
    }
    pin(expr, &bound)
}

fn parse_within(query: &str, reach: Reach) -> Result<Expr, QueryError> {
    let expr = parse_instant(query)?;
    reach.check(&expr)?;
    Ok(expr)
}

/// Renders a query with these matchers in every selector. Without matchers the query keeps its meaning, but
/// is still rendered from the tree.
fn pin(mut expr: Expr, matchers: &[(&LabelName, &str)]) -> Result<String, QueryError> {
    if !matchers.is_empty() {
        Pin { matchers }.expr(&mut expr)?;
    }
    render(&expr)
}

struct Pin<'a> {
    matchers: &'a [(&'a LabelName, &'a str)],
}

impl Pin<'_> {
    /// Adds the matchers to every selector below an expression. There is no `_` arm, so that a new kind of
    /// expression is a compile error.
    fn expr(&self, expr: &mut Expr) -> Result<(), QueryError> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(MatrixSelector { vs, range: _ }) => self.selector(vs),
            // info() reads further series, for which the query has no selector to bind.
            Expr::Call(call) if call.func.name == "info" => Err(QueryError::Unsupported("info()")),
            Expr::Extension(_) => Err(QueryError::Unsupported("an extension")),
            Expr::Aggregate(_)
            | Expr::Binary(_)
            | Expr::Unary(_)
            | Expr::Paren(_)
            | Expr::Subquery(_)
            | Expr::Call(_)
            | Expr::NumberLiteral(_)
            | Expr::StringLiteral(_) => children_mut(expr)
                .into_iter()
                .try_for_each(|child| self.expr(child)),
        }
    }

    fn selector(&self, selector: &mut VectorSelector) -> Result<(), QueryError> {
        if !selector.matchers.or_matchers.is_empty() {
            return Err(QueryError::Unsupported("`or` between matchers"));
        }
        let matchers = self.matchers.iter();
        selector
            .matchers
            .matchers
            .extend(matchers.map(|(label, value)| Matcher::new(MatchOp::Equal, label.as_str(), value)));
        // The renderer sorts matchers. In the same order here, the tree equals the one that is parsed back.
        selector.matchers.matchers.sort_by_cached_key(ToString::to_string);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz_corpus::query::selectors;

    fn pinned(query: &str) -> Result<String, QueryError> {
        pin_namespace(query, &"namespace".parse().unwrap(), "mine")
    }

    #[test]
    fn every_selector_is_bound() {
        for (query, expected) in [
            ("a", r#"a{namespace="mine"}"#),
            (
                r#"sum(rate(a{b="c"}[5m])) / sum(rate(d[5m] offset 1m))"#,
                r#"sum(rate(a{b="c",namespace="mine"}[5m])) / sum(rate(d{namespace="mine"}[5m] offset 1m))"#,
            ),
            (
                "max_over_time(sum(a)[10m:1m])",
                r#"max_over_time(sum(a{namespace="mine"})[10m:1m])"#,
            ),
            (
                r#"a{namespace=~".+"} or on() vector(0)"#,
                r#"a{namespace="mine",namespace=~".+"} or on () vector(0)"#,
            ),
            ("-absent(a @ end())", r#"-absent(a{namespace="mine"} @ end())"#),
            (r#"{__name__="a"}"#, r#"{__name__="a",namespace="mine"}"#),
            ("scalar(a) > bool 3", r#"scalar(a{namespace="mine"}) > bool 3"#),
        ] {
            assert_eq!(pinned(query).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_cannot_be_bound_is_refused() {
        for query in [r#"a{b="c" or d="e"}"#, "info(a)"] {
            assert!(
                matches!(pinned(query), Err(QueryError::Unsupported(_))),
                "{query}: {:?}",
                pinned(query)
            );
        }
    }

    #[test]
    fn a_result_that_is_no_number_is_refused() {
        assert_eq!(pinned("a[5m]"), Err(QueryError::WrongType("range vector")));
        assert_eq!(pinned("\"a\""), Err(QueryError::WrongType("string")));
        assert!(matches!(pinned("sum("), Err(QueryError::Malformed(_))));
    }

    #[test]
    fn deep_nesting_is_refused_before_it_can_exhaust_the_stack() {
        for query in [
            format!("{}a{}", "(".repeat(1000), ")".repeat(1000)),
            format!("{}1", "-".repeat(4000)),
            format!("1{}", "+1".repeat(2000)),
            format!("a{}", " or a".repeat(800)),
            format!("a{}", " or#\na".repeat(600)),
            format!("a{}", "or(a)".repeat(600)),
        ] {
            assert!(
                matches!(pinned(&query), Err(QueryError::TooComplex { .. })),
                "{query}"
            );
        }
    }

    #[test]
    fn the_most_complex_query_accepted_fits_a_worker_thread() {
        for query in [
            format!("{}a{}", "max(".repeat(64), ")".repeat(64)),
            format!("{}a", "-".repeat(256)),
            format!("a{}", "+a".repeat(256)),
        ] {
            #[expect(
                clippy::disallowed_types,
                reason = "a stack of the size that tokio's threads have"
            )]
            let thread = std::thread::Builder::new().stack_size(2 << 20);
            let result = thread.spawn(move || pinned(&query)).unwrap().join().unwrap();
            assert!(result.is_ok(), "{result:?}");
        }
    }

    #[test]
    fn the_parameter_of_an_aggregation_is_bound_too() {
        for (query, expected) in [
            (
                "topk(scalar(a), b)",
                r#"topk(scalar(a{namespace="mine"}), b{namespace="mine"})"#,
            ),
            (
                "sum(quantile(scalar(sum(a)) / 1e9, sum(bottomk(scalar(b), c))))",
                r#"sum(quantile(scalar(sum(a{namespace="mine"})) / 1000000000, sum(bottomk(scalar(b{namespace="mine"}), c{namespace="mine"}))))"#,
            ),
        ] {
            assert_eq!(pinned(query).as_deref(), Ok(expected));
        }
    }

    proptest! {
        #[test]
        fn any_namespace_and_matcher_value_stay_values(namespace in any::<String>(), value in any::<String>()) {
            let value = super::super::quote(&value);
            let query = format!("quantile(scalar(a{{b={value}}}), c) + max_over_time(d{{b={value}}}[5m])");
            let rendered = pin_namespace(&query, &"namespace".parse().unwrap(), &namespace);
            if let Ok(rendered) = rendered {
                let found = selectors(&rendered);
                prop_assert_eq!(found.len(), 3, "{}", rendered);
                prop_assert!(found.iter().all(|one| one.contains("namespace=\"\"")), "{}", rendered);
            }
        }
    }
}
