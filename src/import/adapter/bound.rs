//! What a query reads: whether its selectors stay in the namespace of the request, and whether they contradict it.

use promql_parser::parser::{AggregateExpr, BinaryExpr, Expr, ParenExpr, SubqueryExpr, UnaryExpr, token};

use crate::import::query::{Extra, Op, Selector};

/// What is to be known of a query that divides.
pub(super) const DIVISION: &str =
    "prometheus-adapter reads 0/0 as 0, vas as no value; x / (y > 0) with onMissing: Zero is 0 when idle";

/// The namespace that a query may read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach<'a> {
    /// The label that carries it.
    pub(super) label: &'a str,
    /// Its name, where it is known.
    pub(super) namespace: Option<&'a str>,
}

impl Reach<'_> {
    /// Whether a selector names this very namespace.
    pub(super) fn is_pinned(&self, selector: &Selector) -> bool {
        let mut extra = selector.extra.iter();
        extra.any(|one| {
            one.label == self.label && one.op == Op::Equal && Some(one.value.as_str()) == self.namespace
        })
    }

    /// Whether every selector reads this namespace alone.
    pub(super) fn all_bound(&self, selectors: &[Selector]) -> bool {
        selectors
            .iter()
            .all(|selector| selector.is_marked || self.is_pinned(selector))
    }

    /// # Errors
    /// When a selector names another namespace, or one that cannot be told from this.
    pub(super) fn check_pins(&self, selectors: &[Selector]) -> Result<(), String> {
        let mut extra = selectors.iter().flat_map(|selector| &selector.extra);
        let pin = extra.find(|one| one.label == self.label && !one.is_presence() && !self.admits(one));
        let Some(pin) = pin else { return Ok(()) };
        Err(match self.namespace {
            Some(namespace) => format!(
                "the query reads {pin}, the HPA is in namespace {namespace}, and vas binds every query to the namespace \
                 of the resource: put the resource where the series are, or give this Prometheus an entry with \
                 queryNamespaceMatcher: false in the --config of vas metrics-server"
            ),
            None => format!(
                "the query names its own namespace, {pin}, and vas binds every query to the namespace of the resource: \
                 leave the matcher out if that is the same, or give the HPA with its metadata.namespace"
            ),
        })
    }

    /// Whether a matcher lets this namespace pass.
    fn admits(&self, one: &Extra) -> bool {
        self.namespace
            .is_some_and(|namespace| one.passes(namespace) == Ok(true))
    }

    /// Matchers besides those of the namespace, which vas puts in itself.
    pub(super) fn beyond(&self, extra: &[Extra]) -> Vec<Extra> {
        extra
            .iter()
            .filter(|one| one.label != self.label)
            .cloned()
            .collect()
    }
}

/// # Errors
/// When a selector that takes in the request's matchers can then match nothing.
pub(super) fn check_contradictions(selectors: &[Selector], added: &[Extra]) -> Result<(), String> {
    for selector in selectors.iter().filter(|selector| selector.is_marked) {
        for own in &selector.extra {
            for one in added.iter().filter(|one| one.label == own.label) {
                let passes = match (one.op, own.op) {
                    (Op::Equal, _) => own.passes(&one.value)?,
                    (_, Op::Equal) => one.passes(&own.value)?,
                    _ => true,
                };
                if !passes {
                    return Err(format!(
                        "the query says {own} and the request of the HPA {one}: no series has both, so the metric has \
                         no value in prometheus-adapter"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Whether a query divides by something other than a number.
pub(super) fn divides(expr: &Expr) -> bool {
    match expr {
        Expr::Binary(BinaryExpr { op, lhs, rhs, .. }) => {
            let by_series =
                [token::T_DIV, token::T_MOD].contains(&op.id()) && !matches!(**rhs, Expr::NumberLiteral(_));
            by_series || divides(lhs) || divides(rhs)
        }
        Expr::Paren(ParenExpr { expr })
        | Expr::Unary(UnaryExpr { expr })
        | Expr::Subquery(SubqueryExpr { expr, .. })
        | Expr::Aggregate(AggregateExpr { expr, .. }) => divides(expr),
        Expr::Call(call) => call.args.args.iter().any(|argument| divides(argument)),
        Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::Extension(_) => false,
    }
}
