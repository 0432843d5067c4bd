//! A label, an operator and a value.

use promql_parser::label::{MatchOp, Matcher};

use crate::core::{import::adapter::naming, promql};

/// A matcher, of a query or of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::core::import::adapter) struct Extra {
    pub(in crate::core::import::adapter) label: String,
    pub(in crate::core::import::adapter) op: Op,
    pub(in crate::core::import::adapter) value: String,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::core::import::adapter) enum Op {
    Equal,
    NotEqual,
    Matches,
    NotMatches,
}

impl Extra {
    pub(in crate::core::import::adapter) fn new(label: &str, op: Op, value: &str) -> Self {
        Self {
            label: label.to_owned(),
            op,
            value: value.to_owned(),
        }
    }

    /// Whether it only asks for the label to be there.
    pub(in crate::core::import::adapter) fn is_presence(&self) -> bool {
        matches!(
            (self.op, self.value.as_str()),
            (Op::NotEqual, "") | (Op::Matches, ".+")
        )
    }

    /// Whether a series whose label has this value passes.
    ///
    /// # Errors
    /// When the expression is none.
    pub(in crate::core::import::adapter) fn passes(&self, value: &str) -> Result<bool, String> {
        // Prometheus anchors an expression at both ends.
        let matches = || {
            Ok::<_, String>(naming::compile(&format!("^(?s:{})$", self.value), &self.label)?.is_match(value))
        };
        Ok(match self.op {
            Op::Equal => self.value == value,
            Op::NotEqual => self.value != value,
            Op::Matches => matches()?,
            Op::NotMatches => !matches()?,
        })
    }

    /// The expression that a value has to match, if it has to match one.
    pub(in crate::core::import::adapter) fn positive_pattern(&self) -> Option<&str> {
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

/// As PromQL writes it.
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
