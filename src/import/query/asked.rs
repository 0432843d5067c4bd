//! Recognizes the queries for which the resource has its own form: a request rate and a gauge.

use std::time::Duration;

use promql_parser::parser::{AggregateExpr, Call, Expr, LabelModifier, VectorSelector, token};

use super::{Extra, bare, extra};

/// What a query computes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    /// `sum by (...) (rate(series[window]))`, or the rate alone.
    Rate {
        series: String,
        window: Duration,
        /// The labels of `by`; `None` if the rates are not summed.
        by: Option<Vec<String>>,
        extra: Vec<Extra>,
    },
    /// `sum by (...) (series)`, `max by (...) (series)`, or the series alone.
    Gauge {
        series: String,
        /// `Sum` if the query has no aggregation.
        gathered: Gathered,
        /// The labels of `by`; `None` if the query has no aggregation.
        by: Option<Vec<String>>,
        extra: Vec<Extra>,
    },
    /// Any other query.
    Other,
}

/// The aggregation of the series of a gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gathered {
    Sum,
    Max,
}

/// Recognizes what a query computes.
pub(crate) fn asked(expr: &Expr) -> Asked {
    known(expr).unwrap_or(Asked::Other)
}

fn known(expr: &Expr) -> Option<Asked> {
    match bare(expr) {
        Expr::Aggregate(AggregateExpr {
            op,
            expr,
            param: None,
            modifier,
        }) => {
            let by = by(modifier.as_ref())?;
            let is_sum = op.id() == token::T_SUM;
            match bare(expr) {
                Expr::Call(call) if is_sum => rate(call, Some(by)),
                Expr::VectorSelector(selector) if is_sum => gauge(selector, Gathered::Sum, Some(by)),
                Expr::VectorSelector(selector) if op.id() == token::T_MAX => {
                    gauge(selector, Gathered::Max, Some(by))
                }
                _ => None,
            }
        }
        Expr::Call(call) => rate(call, None),
        Expr::VectorSelector(selector) => gauge(selector, Gathered::Sum, None),
        _ => None,
    }
}

fn gauge(selector: &VectorSelector, gathered: Gathered, by: Option<Vec<String>>) -> Option<Asked> {
    let (series, extra) = selected(selector)?;
    Some(Asked::Gauge {
        series,
        gathered,
        by,
        extra,
    })
}

fn rate(call: &Call, by: Option<Vec<String>>) -> Option<Asked> {
    let [range] = call.args.args.as_slice() else {
        return None;
    };
    let Expr::MatrixSelector(matrix) = bare(range) else {
        return None;
    };
    if call.func.name != "rate" {
        return None;
    }
    let (series, extra) = selected(&matrix.vs)?;
    Some(Asked::Rate {
        series,
        window: matrix.range,
        by,
        extra,
    })
}

/// The labels of `by`, empty if the aggregation has none. `None` for `without`, whose labels depend on the
/// series.
fn by(modifier: Option<&LabelModifier>) -> Option<Vec<String>> {
    match modifier {
        None => Some(Vec::new()),
        Some(LabelModifier::Include(labels)) => Some(labels.labels.clone()),
        Some(LabelModifier::Exclude(_)) => None,
    }
}

/// Name and matchers of a plain selector; `None` if it has an offset, an `@` or alternatives.
fn selected(selector: &VectorSelector) -> Option<(String, Vec<Extra>)> {
    if selector.offset.is_some() || selector.at.is_some() || !selector.matchers.or_matchers.is_empty() {
        return None;
    }
    let names: Vec<Extra> = selector
        .matchers
        .matchers
        .iter()
        .filter(|matcher| matcher.name == "__name__")
        .map(Extra::from)
        .collect();
    let name = match (&selector.name, names.as_slice()) {
        (Some(name), []) => name.clone(),
        (None, [one]) if one.op == super::Op::Equal => one.value.clone(),
        _ => return None,
    };
    Some((name, extra(selector)))
}
