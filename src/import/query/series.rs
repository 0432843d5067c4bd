//! The series that a rule's `seriesQuery` selects.

use promql_parser::parser::Expr;

use super::{Extra, Op, bare, parse};

/// The series of a rule.
#[derive(Clone, Debug)]
pub(crate) enum Series {
    /// The series with this name.
    Named(String),
    /// All series whose name passes these matchers.
    Matching(Vec<Extra>),
}

impl Series {
    /// Whether the rule selects a series of this name. An invalid regular expression selects none.
    pub(crate) fn has(&self, series: &str) -> bool {
        match self {
            Self::Named(name) => name == series,
            Self::Matching(matchers) => matchers
                .iter()
                .all(|matcher| matcher.passes(series).unwrap_or(false)),
        }
    }
}

/// The series that a `seriesQuery` selects, by name. Its other matchers are left out: they only decide which
/// series prometheus-adapter discovers, and `metricsQuery` alone decides which values it reads.
///
/// # Errors
/// If the query is not a single selector.
pub(crate) fn series(query: &str) -> Result<Series, String> {
    let expr = parse(query, "seriesQuery")?;
    let Expr::VectorSelector(selector) = bare(&expr) else {
        return Err("seriesQuery is not a selector".to_owned());
    };
    if let Some(name) = &selector.name {
        return Ok(Series::Named(name.clone()));
    }
    let matchers = selector.matchers.matchers.iter();
    let matching: Vec<Extra> = matchers
        .filter(|matcher| matcher.name == "__name__")
        .map(Extra::from)
        .collect();
    let exact = matching.iter().find(|one| one.op == Op::Equal);
    Ok(match exact {
        Some(exact) => Series::Named(exact.value.clone()),
        None => Series::Matching(matching),
    })
}
