//! Binds an author's own query to the namespace of the resource it stands in.
//!
//! The query is parsed, an equality matcher is added to every selector of the tree, and the text that is sent
//! is rendered from that tree: what the parser did not understand never reaches Prometheus. The rendered
//! text must parse back to the same tree, so that a slip of the renderer is an error, not another query.

use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{
        self, AggregateExpr, BinaryExpr, Call, Expr, MatrixSelector, ParenExpr, SubqueryExpr, UnaryExpr,
        VectorSelector, value::ValueType,
    },
};

use super::LabelName;

/// Longest query accepted, in bytes: the bound of the CRD.
const MAX_LENGTH: usize = 4096;
/// Most brackets and operators in a query. The parser's tree is walked by recursion: this bounds its depth.
const MAX_NODES: usize = 256;

/// Why an author's query cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Longer or more deeply nested than accepted.
    #[error(
        "too complex: at most {MAX_LENGTH} characters and {MAX_NODES} brackets and operators; use a recording rule"
    )]
    TooComplex,
    /// Not PromQL.
    #[error("not PromQL: {0}")]
    Malformed(String),
    /// The result would be a string or a range.
    #[error("the result must be a number or an instant vector, not a {0}")]
    WrongType(&'static str),
    /// A construct that cannot be bound to a namespace.
    #[error("{0} cannot be bound to the namespace; leave it out")]
    Unsupported(&'static str),
}

/// Adds `label="namespace"` to every selector of `query` and renders the result.
///
/// # Errors
/// See [`QueryError`].
pub fn pin_namespace(query: &str, label: &LabelName, namespace: &str) -> Result<String, QueryError> {
    let mut expr = parse(query)?;
    Pin {
        label: label.as_str(),
        namespace,
    }
    .expr(&mut expr)?;
    let rendered = expr.to_string();
    match parser::parse(&rendered) {
        Ok(again) if again == expr => Ok(rendered),
        _ => Err(QueryError::Unsupported("this spelling of the query")),
    }
}

/// Checks a query that is sent as it is written.
///
/// # Errors
/// See [`QueryError`].
pub fn check_query(query: &str) -> Result<(), QueryError> {
    parse(query).map(drop)
}

fn parse(query: &str) -> Result<Expr, QueryError> {
    let nodes = query
        .bytes()
        .filter(|byte| b"([{+-*/%^=<>!@".contains(byte))
        .count()
        + query
            .split(|char: char| !char.is_ascii_alphanumeric() && char != '_')
            .filter(|word| is_word_operator(word))
            .count();
    if query.len() > MAX_LENGTH || nodes > MAX_NODES {
        return Err(QueryError::TooComplex);
    }
    let expr = parser::parse(query).map_err(QueryError::Malformed)?;
    match expr.value_type() {
        ValueType::Vector | ValueType::Scalar => Ok(expr),
        ValueType::Matrix => Err(QueryError::WrongType("range vector")),
        ValueType::String => Err(QueryError::WrongType("string")),
    }
}

fn is_word_operator(word: &str) -> bool {
    ["and", "or", "unless", "atan2"]
        .iter()
        .any(|operator| word.eq_ignore_ascii_case(operator))
}

struct Pin<'a> {
    label: &'a str,
    namespace: &'a str,
}

impl Pin<'_> {
    /// Pins every selector below. Written out instead of using the parser's visitor, which passes over the
    /// parameter of an aggregation; no `_` arm and no `..` beside plain values, so that a new place for a
    /// selector is a compile error.
    fn expr(&self, expr: &mut Expr) -> Result<(), QueryError> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(MatrixSelector { vs, range: _ }) => self.selector(vs),
            Expr::Aggregate(AggregateExpr {
                op: _,
                expr,
                param,
                modifier: _,
            }) => {
                if let Some(param) = param {
                    self.expr(param)?;
                }
                self.expr(expr)
            }
            Expr::Binary(BinaryExpr {
                op: _,
                lhs,
                rhs,
                modifier: _,
            }) => {
                self.expr(lhs)?;
                self.expr(rhs)
            }
            Expr::Unary(UnaryExpr { expr })
            | Expr::Paren(ParenExpr { expr })
            | Expr::Subquery(SubqueryExpr {
                expr,
                offset: _,
                at: _,
                range: _,
                step: _,
            }) => self.expr(expr),
            // info() reads further series that stand in no selector of the query.
            Expr::Call(call) if call.func.name == "info" => Err(QueryError::Unsupported("info()")),
            Expr::Call(Call { func: _, args }) => args.args.iter_mut().try_for_each(|arg| self.expr(arg)),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Ok(()),
            Expr::Extension(_) => Err(QueryError::Unsupported("an extension")),
        }
    }

    fn selector(&self, selector: &mut VectorSelector) -> Result<(), QueryError> {
        if !selector.matchers.or_matchers.is_empty() {
            return Err(QueryError::Unsupported("`or` between matchers"));
        }
        selector
            .matchers
            .matchers
            .push(Matcher::new(MatchOp::Equal, self.label, self.namespace));
        // The renderer sorts them; in the same order the trees can be compared.
        selector.matchers.matchers.sort_by_key(ToString::to_string);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            assert_eq!(pinned(&query), Err(QueryError::TooComplex));
        }
    }

    #[test]
    fn the_most_complex_query_accepted_fits_a_worker_thread() {
        let nested = MAX_NODES - 1;
        for query in [
            format!("{}a{}", "(".repeat(nested), ")".repeat(nested)),
            format!("{}a", "-".repeat(nested)),
            format!("a{}", "+a".repeat(nested)),
        ] {
            let thread = std::thread::Builder::new().stack_size(2 << 20);
            let result = thread.spawn(move || pinned(&query)).unwrap().join().unwrap();
            assert!(result.is_ok(), "{result:?}");
        }
    }

    /// Selectors of a rendered query, found in its text: independent of any walk over the tree. Strings are
    /// blanked first, so a brace inside one does not count.
    fn selectors(rendered: &str) -> Vec<String> {
        let mut text = String::new();
        let mut quoted = false;
        let mut characters = rendered.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' if quoted => drop(characters.next()),
                '"' => {
                    quoted = !quoted;
                    text.push('"');
                }
                _ if quoted => {}
                other => text.push(other),
            }
        }
        let braces = text.split('{').skip(1);
        braces
            .map(|rest| rest.split('}').next().unwrap().to_owned())
            .collect()
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
