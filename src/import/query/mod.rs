//! Reads the queries and selectors of other autoscalers by their syntax trees.
//!
//! ```text
//! matcher   label matchers
//! series    the series that a rule's seriesQuery selects
//! asked     recognizes request rates and gauges
//! result    the number of series in a result, and whether they carry a label
//! fill      replaces the marker by the matchers of a request
//! ```

mod asked;
mod fill;
mod matcher;
mod result;
mod series;

use promql_parser::parser::{Expr, MatrixSelector, ParenExpr, VectorSelector};

use vas_core::metrics::promql::{self, children};

pub(super) use asked::{Asked, Gathered, asked};
pub(super) use fill::fill;
pub(super) use matcher::{Extra, Op, conditions, equalities};
pub(super) use result::{Count, count, lacks};
pub(super) use series::{Series, series};

/// Label of the marker: a matcher that stands for the matchers that prometheus-adapter adds for each request.
pub(super) const MATCHERS: &str = "__vas_matchers";

/// Parses a query with the limits that queries in a resource have.
///
/// # Errors
/// If the text is not PromQL or exceeds a limit. The message names the field.
pub(super) fn parse(text: &str, field: &str) -> Result<Expr, String> {
    promql::parse_instant(text).map_err(|error| format!("{field}: {error}"))
}

/// Renders a syntax tree as a query for a resource. The second value is the advice that `vas validate` gives
/// for it.
///
/// # Errors
/// If the query exceeds a limit, or its result is not a number.
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
    /// The text of the selector without the marker, for messages.
    pub(super) shown: String,
    /// Whether the selector has the marker, so that the matchers of each request apply to it.
    pub(super) is_marked: bool,
    /// The other matchers of the selector, without the name of the series.
    pub(super) extra: Vec<Extra>,
}

/// All selectors of a query.
///
/// # Errors
/// If a selector has alternatives: `{a="1" or b="2"}`.
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

/// The matchers of a selector, without the marker and the name of the series.
fn extra(selector: &VectorSelector) -> Vec<Extra> {
    let matchers = selector.matchers.matchers.iter();
    matchers
        .filter(|matcher| matcher.name != MATCHERS && matcher.name != "__name__")
        .map(Extra::from)
        .collect()
}

/// The expression without the parentheses around it.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(ParenExpr { expr }) => bare(expr),
        other => other,
    }
}
