//! What a rendered query asks, by its syntax tree.

use std::time::Duration;

use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{
        self, AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, ParenExpr, UnaryExpr, VectorSelector,
        token,
    },
};

use super::template::{GROUP_BY, MATCHERS};

/// A matcher that is in the query besides those of each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extra {
    pub(super) label: String,
    pub(super) value: String,
    /// `=`, `!=`, `=~`, `!~`.
    pub(super) op: &'static str,
}

/// What is selected, for how long, and how it is put together.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Asked {
    /// `sum by (GroupBy) (rate(series[window]))`, or the rate alone.
    Rate {
        series: String,
        window: Duration,
        extra: Vec<Extra>,
    },
    /// `sum` or `max` of a series of one moment, by these labels besides `GroupBy`.
    Gauge {
        series: String,
        max: bool,
        by: Vec<String>,
        extra: Vec<Extra>,
    },
    /// Something else.
    Other,
}

/// Parses a rendered query.
///
/// # Errors
/// When it is not PromQL.
pub(super) fn read(rendered: &str) -> Result<(Asked, Expr), String> {
    let expr = parser::parse(rendered).map_err(|error| format!("metricsQuery is not PromQL: {error}"))?;
    Ok((known(&expr).unwrap_or(Asked::Other), expr))
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
            let sum = op.id() == token::T_SUM;
            match bare(expr) {
                Expr::Call(call) if sum && by.is_empty() && groups(modifier.as_ref()) => rate(call),
                Expr::VectorSelector(selector) if sum || op.id() == token::T_MAX => {
                    let (series, extra) = selected(selector)?;
                    Some(Asked::Gauge {
                        series,
                        max: !sum,
                        by,
                        extra,
                    })
                }
                _ => None,
            }
        }
        // One series for each object, or prometheus-adapter could not have used it.
        Expr::Call(call) => rate(call),
        _ => None,
    }
}

fn rate(call: &Call) -> Option<Asked> {
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
        extra,
    })
}

/// Without brackets.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(ParenExpr { expr }) => bare(expr),
        other => other,
    }
}

/// Whether the groups are those of the request.
fn groups(modifier: Option<&LabelModifier>) -> bool {
    modifier.is_some_and(|modifier| modifier.labels().labels.iter().any(|label| label == GROUP_BY))
}

/// The labels of `by` besides the marker; `None` for `without`.
fn by(modifier: Option<&LabelModifier>) -> Option<Vec<String>> {
    match modifier {
        None => Some(Vec::new()),
        Some(LabelModifier::Include(labels)) => {
            let labels = labels.labels.iter();
            Some(labels.filter(|label| *label != GROUP_BY).cloned().collect())
        }
        Some(LabelModifier::Exclude(_)) => None,
    }
}

/// Name and matchers of a plain selector.
fn selected(selector: &VectorSelector) -> Option<(String, Vec<Extra>)> {
    let VectorSelector {
        name,
        matchers,
        offset,
        at,
    } = selector;
    if offset.is_some() || at.is_some() || !matchers.or_matchers.is_empty() {
        return None;
    }
    let mut name = name.clone();
    let mut extra = Vec::new();
    for matcher in &matchers.matchers {
        let Matcher {
            op,
            name: label,
            value,
        } = matcher;
        if label == "__name__" && *op == MatchOp::Equal {
            name = Some(value.clone());
        } else if label != MATCHERS {
            extra.push(Extra {
                label: label.clone(),
                value: value.clone(),
                op: shown(op),
            });
        }
    }
    Some((name?, extra))
}

fn shown(op: &MatchOp) -> &'static str {
    match op {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Re(_) => "=~",
        MatchOp::NotRe(_) => "!~",
    }
}

/// Which series a rule is for.
#[derive(Clone, Debug)]
pub(super) enum Series {
    /// One.
    Named(String),
    /// All whose name passes these matchers.
    Matching(Vec<Matcher>),
}

impl Series {
    /// Whether a name is one of them.
    pub(super) fn has(&self, series: &str) -> bool {
        match self {
            Self::Named(name) => name == series,
            Self::Matching(matchers) => matchers.iter().all(|matcher| matcher.is_match(series)),
        }
    }
}

/// The series of a rule's `seriesQuery`. Its other matchers only choose among series; the values are those of
/// `metricsQuery`.
///
/// # Errors
/// When it is not one selector.
pub(super) fn series(query: &str) -> Result<Series, String> {
    let expr = parser::parse(query).map_err(|error| format!("seriesQuery is not a selector: {error}"))?;
    let Expr::VectorSelector(selector) = bare(&expr) else {
        return Err("seriesQuery is not a selector".to_owned());
    };
    if let Some((name, _)) = selected(selector) {
        return Ok(Series::Named(name));
    }
    let names = selector
        .matchers
        .matchers
        .iter()
        .filter(|matcher| matcher.name == "__name__");
    Ok(Series::Matching(names.cloned().collect()))
}

/// Whether a query gives one number for a namespace: everything is aggregated, by nothing but the namespace.
pub(super) fn is_single(expr: &Expr, namespace_label: &str) -> bool {
    match expr {
        Expr::NumberLiteral(_) => true,
        Expr::Paren(ParenExpr { expr }) | Expr::Unary(UnaryExpr { expr }) => is_single(expr, namespace_label),
        Expr::Binary(BinaryExpr { lhs, rhs, .. }) => {
            is_single(lhs, namespace_label) && is_single(rhs, namespace_label)
        }
        Expr::Aggregate(AggregateExpr { op, modifier, .. }) => {
            let many = [
                token::T_TOPK,
                token::T_BOTTOMK,
                token::T_COUNT_VALUES,
                token::T_LIMITK,
            ];
            let labels = match modifier {
                None => true,
                Some(LabelModifier::Include(labels)) => {
                    labels.labels.iter().all(|label| label == namespace_label)
                }
                Some(LabelModifier::Exclude(_)) => false,
            };
            labels && !many.contains(&op.id())
        }
        Expr::Call(call) => match call.func.name {
            "scalar" | "vector" | "time" => true,
            "abs" | "ceil" | "floor" | "round" | "clamp" | "clamp_min" | "clamp_max" | "sqrt" | "ln"
            | "exp" => call
                .args
                .args
                .iter()
                .all(|argument| is_single(argument, namespace_label)),
            _ => false,
        },
        _ => false,
    }
}

/// Replaces the markers: matchers by these, groups by the namespace.
pub(super) fn fill(expr: &mut Expr, matchers: &[(String, String)], namespace_label: &str) {
    match expr {
        Expr::VectorSelector(selector) => fill_selector(selector, matchers),
        Expr::MatrixSelector(matrix) => fill_selector(&mut matrix.vs, matchers),
        Expr::Aggregate(AggregateExpr {
            expr,
            param,
            modifier,
            ..
        }) => {
            if let Some(param) = param {
                fill(param, matchers, namespace_label);
            }
            if let Some(LabelModifier::Include(labels)) = modifier {
                let marked = labels.labels.iter_mut().filter(|label| *label == GROUP_BY);
                marked.for_each(|label| namespace_label.clone_into(label));
                labels.labels.dedup();
            }
            fill(expr, matchers, namespace_label);
        }
        Expr::Binary(BinaryExpr { lhs, rhs, .. }) => {
            fill(lhs, matchers, namespace_label);
            fill(rhs, matchers, namespace_label);
        }
        Expr::Unary(UnaryExpr { expr }) | Expr::Paren(ParenExpr { expr }) => {
            fill(expr, matchers, namespace_label);
        }
        Expr::Subquery(subquery) => fill(&mut subquery.expr, matchers, namespace_label),
        Expr::Call(call) => {
            call.args
                .args
                .iter_mut()
                .for_each(|argument| fill(argument, matchers, namespace_label));
        }
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

fn fill_selector(selector: &mut VectorSelector, matchers: &[(String, String)]) {
    let list = &mut selector.matchers.matchers;
    let before = list.len();
    list.retain(|matcher| matcher.name != MATCHERS);
    if list.len() < before {
        let new = |(label, value): &(String, String)| Matcher::new(MatchOp::Equal, label, value);
        list.extend(matchers.iter().map(new));
    }
}
