//! Limits on how far back a query reads, and how much it makes Prometheus compute.
//!
//! A range makes Prometheus hold all samples of the range for each series. A subquery makes it compute its
//! expression once for each step, and nested subqueries multiply their steps. Two examples:
//! `max_over_time(vector(1)[500d:1s])` has 43 million steps, which are gigabytes.
//! `avg_over_time(max_over_time(a[10m:1m])[30m:1m])` has 30 x 10 = 300 steps, which is just allowed. An
//! offset or `@` costs nothing: it only moves the moment of the samples.

use std::time::Duration;

use promql_parser::parser::{Expr, MatrixSelector, Offset, SubqueryExpr, VectorSelector};

use super::children;
use crate::k8s::duration::format;

/// Step of a subquery that names none: Prometheus' evaluation interval, which is rarely shorter than this.
const DEFAULT_STEP: Duration = Duration::from_secs(15);
/// Greatest offset, and greatest range of a subquery.
const FURTHEST: Duration = Duration::from_hours(31 * 24);

/// Limits on what a query makes Prometheus evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Longest plain range.
    pub range: Duration,
    /// Greatest number of steps of subqueries. The steps of nested subqueries are multiplied.
    pub steps: u32,
}

/// The limit that a query exceeds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooFar {
    /// A plain range is too long.
    #[error(
        "a range of {} is longer than {} (the metrics server's --max-query-range, at most 24h); use a recording rule",
        format(*.found), format(*.most)
    )]
    Range {
        /// The range in the query.
        found: Duration,
        /// The longest accepted range.
        most: Duration,
    },
    /// Subqueries have too many steps.
    #[error(
        "subqueries take {found} steps, which is more than {most} (the metrics server's --max-query-steps, at most \
         3000): shorten the range, lengthen the step, or use a recording rule"
    )]
    Steps {
        /// The product of the steps of nested subqueries.
        found: u64,
        /// The greatest accepted number of steps.
        most: u32,
    },
    /// An offset, or the range of a subquery, goes too far back.
    #[error("{what} of {} reaches further than {}; use a recording rule", format(*.found), format(FURTHEST))]
    Past {
        /// `an offset` or `a subquery's range`.
        what: &'static str,
        /// The duration in the query.
        found: Duration,
    },
}

impl Reach {
    /// The limits of a metrics server without flags for them.
    pub const DEFAULT: Self = Self {
        range: Duration::from_hours(1),
        steps: 300,
    };
    /// The widest limits that flags can set.
    pub const WIDEST: Self = Self {
        range: Duration::from_hours(24),
        steps: 3000,
    };

    /// Checks a query.
    ///
    /// # Errors
    /// See [`TooFar`].
    pub fn check(self, query: &Expr) -> Result<(), TooFar> {
        self.within(query, 1)
    }

    /// Checks an expression that the subqueries around it evaluate `steps` times. There is no `_` arm, so
    /// that a new kind of expression is a compile error.
    fn within(self, expr: &Expr, steps: u64) -> Result<(), TooFar> {
        match expr {
            Expr::VectorSelector(selector) => offset(selector),
            Expr::MatrixSelector(MatrixSelector { vs, range }) => {
                if *range > self.range {
                    return Err(TooFar::Range {
                        found: *range,
                        most: self.range,
                    });
                }
                offset(vs)
            }
            Expr::Subquery(SubqueryExpr {
                expr,
                offset,
                at: _,
                range,
                step,
            }) => {
                past("an offset", offset.as_ref())?;
                past("a subquery's range", Some(&Offset::Pos(*range)))?;
                // The steps of the subqueries outside multiply those of this one. A range shorter than its
                // step still counts one step.
                let step = step.unwrap_or(DEFAULT_STEP).as_millis().max(1);
                let own = u64::try_from(range.as_millis().div_ceil(step)).unwrap_or(u64::MAX);
                let found = steps.saturating_mul(own.max(1));
                if found > u64::from(self.steps) {
                    return Err(TooFar::Steps {
                        found,
                        most: self.steps,
                    });
                }
                self.within(expr, found)
            }
            Expr::Aggregate(_)
            | Expr::Binary(_)
            | Expr::Unary(_)
            | Expr::Paren(_)
            | Expr::Call(_)
            | Expr::NumberLiteral(_)
            | Expr::StringLiteral(_)
            | Expr::Extension(_) => children(expr)
                .into_iter()
                .try_for_each(|child| self.within(child, steps)),
        }
    }
}

fn offset(selector: &VectorSelector) -> Result<(), TooFar> {
    past("an offset", selector.offset.as_ref())
}

fn past(what: &'static str, offset: Option<&Offset>) -> Result<(), TooFar> {
    match offset {
        Some(Offset::Pos(found) | Offset::Neg(found)) if *found > FURTHEST => {
            Err(TooFar::Past { what, found: *found })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::promql::parse;

    fn check(query: &str) -> Result<(), String> {
        let expr = parse(query).unwrap();
        Reach::DEFAULT.check(&expr).map_err(|error| error.to_string())
    }

    #[test]
    fn what_prometheus_is_asked_every_few_seconds_stays_small() {
        for accepted in [
            "sum(rate(a[1h]))",
            "max_over_time(a[1h:])",
            "max_over_time(sum(rate(a[5m]))[1d:5m])",
            "avg_over_time(max_over_time(a[10m:1m])[30m:1m])",
            "sum(a offset 31d) + sum(b @ 1609746000)",
            "rate(a[1h] offset 1w)",
            "max_over_time(a[30d:3h])",
        ] {
            assert_eq!(check(accepted), Ok(()), "{accepted}");
        }
        for (refused, words) in [
            ("max_over_time(vector(1)[500d:1s])", "reaches further than 744h"),
            (
                "max_over_time(vector(1)[30d:1s])",
                "2592000 steps, which is more than 300",
            ),
            ("sum(rate(a[61m]))", "a range of 1h1m is longer than 1h"),
            ("max_over_time(a[2h:])", "480 steps"),
            ("avg_over_time(max_over_time(a[10m:1m])[31m:1m])", "310 steps"),
            ("quantile(scalar(max_over_time(a[1d:1m])), b)", "1440 steps"),
            ("topk(1, -(1 + absent(max_over_time(a[1d:1m]))))", "1440 steps"),
            ("a offset 32d", "an offset of 768h"),
            ("a offset -32d", "an offset of 768h"),
        ] {
            let error = check(refused).unwrap_err();
            assert!(error.contains(words), "{refused}: {error}");
        }
    }

    #[test]
    fn steps_multiply_without_overflow() {
        let deep = (0..20).fold("a".to_owned(), |inner, _| {
            format!("max_over_time({inner}[31d:1ms])")
        });
        assert!(check(&deep).is_err());
    }
}
