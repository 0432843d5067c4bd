//! Queries and selectors that other autoscalers ask, read by their syntax trees.
//!
//! ```text
//! matcher   a label, an operator and a value
//! series    which series a rule's seriesQuery is for
//! asked     the queries that are a request rate or a gauge
//! result    how many series a query gives, and whether they carry a label
//! fill      the marker of a request's matchers, replaced
//! ```

mod asked;
mod fill;
mod matcher;
mod result;
mod series;

use promql_parser::parser::{Expr, MatrixSelector, ParenExpr, VectorSelector};

use crate::core::metrics::promql::{self, children};

pub(super) use asked::{Asked, Gathered, asked};
pub(super) use fill::fill;
pub(super) use matcher::{Extra, Op, conditions, equalities};
pub(super) use result::{Count, count, lacks};
pub(super) use series::{Series, series};

/// Label of a matcher that stands for those of each request to prometheus-adapter.
pub(super) const MATCHERS: &str = "__vas_matchers";

/// Parses a query under the bounds of the resource's own queries.
///
/// # Errors
/// When it is not PromQL, or more than vas accepts.
pub(super) fn parse(text: &str, field: &str) -> Result<Expr, String> {
    promql::parse_instant(text).map_err(|error| format!("{field}: {error}"))
}

/// A tree as a query of the resource, and what is to be said of it.
///
/// # Errors
/// When it is more than vas accepts, or its result is no number.
pub(super) fn render(expr: &Expr) -> Result<(String, Vec<String>), String> {
    let rendered = promql::render(expr).and_then(|text| promql::parse_instant(&text).map(|_| text));
    let rendered = rendered.and_then(|text| promql::advise(&text).map(|advice| (text, advice)));
    let (text, advice) =
        rendered.map_err(|error| format!("the query cannot be written as one of the resource: {error}"))?;
    Ok((text, advice.iter().map(ToString::to_string).collect()))
}

/// One selector of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector {
    /// As it stands in the query, the marker left out.
    pub(super) shown: String,
    /// Whether it takes in the matchers of each request.
    pub(super) is_marked: bool,
    /// Its other matchers, the name of the series left out.
    pub(super) extra: Vec<Extra>,
}

/// All selectors of a query.
///
/// # Errors
/// When one has alternatives, `{a="1" or b="2"}`.
pub(super) fn selectors(expr: &Expr) -> Result<Vec<Selector>, String> {
    let mut found = Vec::new();
    collect(expr, &mut found)?;
    Ok(found)
}

fn collect(expr: &Expr, found: &mut Vec<Selector>) -> Result<(), String> {
    let selector = match expr {
        Expr::VectorSelector(selector) => selector,
        Expr::MatrixSelector(MatrixSelector { vs, .. }) => vs,
        other => {
            return children(other)
                .into_iter()
                .try_for_each(|child| collect(child, found));
        }
    };
    if !selector.matchers.or_matchers.is_empty() {
        return Err(
            "metricsQuery has `or` between matchers, which vas cannot bind to a namespace".to_owned(),
        );
    }
    let mut shown = selector.clone();
    shown.matchers.matchers.retain(|matcher| matcher.name != MATCHERS);
    found.push(Selector {
        is_marked: is_marked(selector),
        extra: extra(selector),
        shown: shown.to_string(),
    });
    Ok(())
}

fn is_marked(selector: &VectorSelector) -> bool {
    selector
        .matchers
        .matchers
        .iter()
        .any(|matcher| matcher.name == MATCHERS)
}

/// Matchers besides the marker and the name of the series.
fn extra(selector: &VectorSelector) -> Vec<Extra> {
    let matchers = selector.matchers.matchers.iter();
    matchers
        .filter(|matcher| matcher.name != MATCHERS && matcher.name != "__name__")
        .map(Extra::from)
        .collect()
}

/// Without brackets.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(ParenExpr { expr }) => bare(expr),
        other => other,
    }
}
