//! Label matchers of queries and of requests, and how they become `matchLabels` and `matchExpressions`.

use std::collections::BTreeMap;

use promql_parser::label::{MatchOp, Matcher};

use crate::pattern;
use vas_api::v1alpha1::{MatchExpression, MatchOperator};
use vas_core::metrics::promql;

/// Most `matchExpressions` that a source may have.
const MAX_EXPRESSIONS: usize = 4;
/// Longest value of a match expression, in bytes.
const MAX_VALUE: usize = 128;

/// A matcher of a query or of a request, such as `code!="500"`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Extra {
    pub(crate) label: String,
    pub(crate) op: Op,
    pub(crate) value: String,
}

/// The operator of a matcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Op {
    Equal,
    NotEqual,
    Matches,
    NotMatches,
}

impl Extra {
    pub(crate) fn new(label: &str, op: Op, value: &str) -> Self {
        Self {
            label: label.to_owned(),
            op,
            value: value.to_owned(),
        }
    }

    /// Whether the matcher only asks that the series has the label.
    pub(crate) fn is_presence(&self) -> bool {
        matches!(
            (self.op, self.value.as_str()),
            (Op::NotEqual, "") | (Op::Matches, ".+")
        )
    }

    /// Whether a series whose label has this value passes the matcher.
    ///
    /// # Errors
    /// If the value of the matcher is not a valid regular expression.
    pub(crate) fn passes(&self, value: &str) -> Result<bool, String> {
        // Prometheus anchors an expression at both ends, and its dot matches a line break too.
        let matches = || {
            Ok::<_, String>(pattern::compile(&format!("^(?s:{})$", self.value), &self.label)?.is_match(value))
        };
        Ok(match self.op {
            Op::Equal => self.value == value,
            Op::NotEqual => self.value != value,
            Op::Matches => matches()?,
            Op::NotMatches => !matches()?,
        })
    }

    /// The regular expression of a `=~` matcher.
    pub(crate) fn positive_pattern(&self) -> Option<&str> {
        (self.op == Op::Matches).then_some(self.value.as_str())
    }
}

impl From<&Matcher> for Extra {
    fn from(matcher: &Matcher) -> Self {
        let op = match &matcher.op {
            MatchOp::Equal => Op::Equal,
            MatchOp::NotEqual => Op::NotEqual,
            MatchOp::Re(_) => Op::Matches,
            MatchOp::NotRe(_) => Op::NotMatches,
        };
        Self::new(&matcher.name, op, &matcher.value)
    }
}

/// Writes the matcher in PromQL.
impl std::fmt::Display for Extra {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let op = match self.op {
            Op::Equal => "=",
            Op::NotEqual => "!=",
            Op::Matches => "=~",
            Op::NotMatches => "!~",
        };
        write!(f, "{}{op}{}", self.label, promql::quote(&self.value))
    }
}

/// Converts matchers into `matchLabels`; `None` if there are none. A matcher that an equality implies is left
/// out: `code=~"2.."` beside `code="200"`.
///
/// # Errors
/// The first matcher that is neither an equality nor implied by one.
pub(crate) fn equalities(extra: &[Extra]) -> Result<Option<BTreeMap<String, String>>, Extra> {
    let mut labels = BTreeMap::new();
    for one in extra {
        if one.op != Op::Equal || one.value.is_empty() {
            let implied = extra.iter().any(|other| {
                other.op == Op::Equal && other.label == one.label && one.passes(&other.value) == Ok(true)
            });
            if implied && one.op != Op::Equal {
                continue;
            }
            return Err(one.clone());
        }
        labels.insert(one.label.clone(), one.value.clone());
    }
    Ok(Some(labels).filter(|labels| !labels.is_empty()))
}

/// `matchLabels` and `matchExpressions` of a source. Each is `None` if it would be empty.
type Conditions = (Option<BTreeMap<String, String>>, Option<Vec<MatchExpression>>);

/// Converts matchers into `matchLabels` and, if they are no equalities, into `matchExpressions`. `None` if a
/// source may not have so many, or so long, expressions.
pub(crate) fn conditions(extra: &[Extra]) -> Option<Conditions> {
    // `matchLabels` holds one value per label, so a second equality of a label becomes an expression.
    let (equal, others): (Vec<Extra>, Vec<Extra>) = extra.iter().cloned().partition(|one| {
        let is_first = extra
            .iter()
            .find(|other| other.op == Op::Equal && other.label == one.label)
            == Some(one);
        one.op == Op::Equal && !one.value.is_empty() && is_first
    });
    let implied = |one: &Extra| {
        equal
            .iter()
            .any(|other| other.label == one.label && one.passes(&other.value) == Ok(true))
    };
    let expression = |one: &Extra| {
        let operator = match one.op {
            Op::Equal => MatchOperator::In,
            Op::NotEqual => MatchOperator::NotIn,
            Op::Matches => MatchOperator::Matches,
            Op::NotMatches => MatchOperator::NotMatches,
        };
        MatchExpression {
            key: one.label.clone(),
            operator,
            values: vec![one.value.clone()],
        }
    };
    let expressions: Vec<_> = others
        .iter()
        .filter(|one| !implied(one))
        .map(expression)
        .collect();
    let fit = expressions.len() <= MAX_EXPRESSIONS
        && expressions
            .iter()
            .flat_map(|one| &one.values)
            .all(|value| value.len() <= MAX_VALUE);
    let labels = equalities(&equal).ok()?;
    fit.then(|| {
        (
            labels,
            Some(expressions).filter(|expressions| !expressions.is_empty()),
        )
    })
}
