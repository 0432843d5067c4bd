//! Checks whether the selectors of a query stay in the namespace of the request, and whether they contradict
//! the request.

use promql_parser::parser::{AggregateExpr, BinaryExpr, Expr, ParenExpr, SubqueryExpr, UnaryExpr, token};

use crate::query::{Extra, Op, Selector};

/// The comment above an entry whose query divides.
pub(super) const DIVISION: &str =
    "prometheus-adapter reads 0/0 as 0, vas as no value; x / (y > 0) with onMissing: Zero is 0 when idle";

/// The one namespace that a query may read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach<'a> {
    /// The label that holds the namespace of a series.
    pub(super) label: &'a str,
    /// Name of the namespace, if it is known.
    pub(super) namespace: Option<&'a str>,
}

impl Reach<'_> {
    /// Whether a selector has an equality matcher for this namespace.
    pub(super) fn is_pinned(&self, selector: &Selector) -> bool {
        let mut extra = selector.extra.iter();
        extra.any(|one| {
            one.label == self.label && one.op == Op::Equal && Some(one.value.as_str()) == self.namespace
        })
    }

    /// Whether every selector reads this namespace only: by its own matcher, or by the matchers of the
    /// request.
    pub(super) fn all_bound(&self, selectors: &[Selector]) -> bool {
        selectors
            .iter()
            .all(|selector| selector.is_marked || self.is_pinned(selector))
    }

    /// Checks that no selector names another namespace.
    ///
    /// # Errors
    /// If a selector names another namespace, or names one while the namespace of the HPA is not known.
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

    /// Whether this namespace passes the matcher.
    fn admits(&self, one: &Extra) -> bool {
        self.namespace
            .is_some_and(|namespace| one.passes(namespace) == Ok(true))
    }

    /// The matchers without those of the namespace, which vas adds itself.
    pub(super) fn beyond(&self, extra: &[Extra]) -> Vec<Extra> {
        extra
            .iter()
            .filter(|one| one.label != self.label)
            .cloned()
            .collect()
    }
}

/// Checks that the matchers of the request leave something to match. Example: a selector `code="200"` and a
/// request with `code="500"` match no series.
///
/// # Errors
/// If a selector contradicts the matchers that the request adds to it.
pub(super) fn check_contradictions(selectors: &[Selector], added: &[Extra]) -> Result<(), String> {
    for selector in selectors.iter().filter(|selector| selector.is_marked) {
        for own in &selector.extra {
            for one in added.iter().filter(|one| one.label == own.label) {
                // Two matchers can be compared only if one of them is an equality.
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

/// Whether a query divides by anything but a number, so that the divisor can be zero.
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
