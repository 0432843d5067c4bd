//! Replaces the marker for the matchers of a request by the matchers of one HPA.

use promql_parser::{
    label::Matcher,
    parser::{Expr, VectorSelector},
};

use super::{Extra, MATCHERS, parse};
use vas_core::metrics::promql::children_mut;

/// Replaces the marker in every selector that has it, and sorts the matchers of all selectors.
///
/// # Errors
/// If Prometheus would not accept one of the added matchers.
pub(crate) fn fill(expr: &mut Expr, added: &[Extra]) -> Result<(), String> {
    let texts: Vec<String> = added.iter().map(ToString::to_string).collect();
    let matchers = match parse(&format!("x{{{}}}", texts.join(",")), "the selector of the HPA")? {
        Expr::VectorSelector(selector) => selector.matchers.matchers,
        _ => Vec::new(),
    };
    replace(expr, &matchers);
    Ok(())
}

fn replace(expr: &mut Expr, matchers: &[Matcher]) {
    match expr {
        Expr::VectorSelector(selector) => in_selector(selector, matchers),
        Expr::MatrixSelector(matrix) => in_selector(&mut matrix.vs, matchers),
        other => children_mut(other)
            .into_iter()
            .for_each(|child| replace(child, matchers)),
    }
}

fn in_selector(selector: &mut VectorSelector, matchers: &[Matcher]) {
    let list = &mut selector.matchers.matchers;
    let before = list.len();
    list.retain(|matcher| matcher.name != MATCHERS);
    if list.len() < before {
        let new = matchers.iter().filter(|matcher| !list.contains(matcher)).cloned();
        let new: Vec<_> = new.collect();
        list.extend(new);
    }
    // The renderer sorts the matchers. With the tree in the same order, the rendered text parses back to the
    // same tree.
    list.sort_by_key(ToString::to_string);
}
