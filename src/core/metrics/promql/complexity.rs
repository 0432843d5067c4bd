//! Limits on the text of a query, so that parsing it is cheap whatever its author wrote.
//!
//! The parser walks its tree by recursion, computes the type of each node again at each level, and copies the
//! content of an aggregation. So its cost grows faster than the length of the text, and deep nesting would
//! exhaust the stack. The limits on tokens bound all of that before the parser begins.

use super::{QueryError, token::Kind};

/// Limits on a query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Greatest length in bytes.
    length: usize,
    /// Greatest number of tokens.
    tokens: usize,
    /// Greatest number of brackets and operators. Each can be one level of the tree.
    nodes: usize,
    /// Greatest number of brackets inside each other.
    depth: usize,
    /// Greatest number of strings in matchers: values, and names in quotes.
    matchers: usize,
}

/// Limits on what an author writes. The length is the limit in the CRD too.
pub(super) const AUTHORS: Limits = Limits {
    length: 4096,
    tokens: 1024,
    nodes: 256,
    depth: 64,
    matchers: 128,
};

/// Limits on the rendered text. It is longer, because each selector has further matchers and numbers are
/// written out.
pub(super) const RENDERED: Limits = Limits {
    length: 64 << 10,
    tokens: 8 << 10,
    nodes: 1 << 10,
    depth: 128,
    matchers: 2 << 10,
};

/// The counts so far.
pub(super) struct Complexity {
    limits: &'static Limits,
    tokens: usize,
    nodes: usize,
    depth: usize,
    matchers: usize,
}

impl Complexity {
    /// # Errors
    /// [`QueryError::TooComplex`] for a text that is too long.
    pub(super) fn new(query: &str, limits: &'static Limits) -> Result<Self, QueryError> {
        check_limit(query.len(), limits.length, "bytes")?;
        Ok(Self {
            limits,
            tokens: 0,
            nodes: 0,
            depth: 0,
            matchers: 0,
        })
    }

    /// Counts one more token.
    ///
    /// # Errors
    /// [`QueryError::TooComplex`] where a count exceeds its limit.
    pub(super) fn count(&mut self, kind: &Kind<'_>, in_braces: bool) -> Result<(), QueryError> {
        // An example: `sum(rate(a{b="c"}[5m])) > 1` has 17 tokens, 5 nodes (two round brackets, a brace, a
        // square bracket and `>`), depth 3 and one matcher.
        self.tokens += 1;
        match kind {
            Kind::Symbol("(" | "[" | "{") => {
                self.nodes += 1;
                self.depth += 1;
            }
            Kind::Symbol(")" | "]" | "}") => self.depth = self.depth.saturating_sub(1),
            Kind::Text(_) if in_braces => self.matchers += 1,
            // Each operator can be a level of the tree. A comma or a colon cannot.
            Kind::Symbol(symbol) if !in_braces && !matches!(*symbol, "," | ":") => self.nodes += 1,
            Kind::Word(word) if !in_braces && is_operator(word) => self.nodes += 1,
            Kind::Symbol(_) | Kind::Text(_) | Kind::Number(_) | Kind::Duration(_) | Kind::Word(_) => {}
        }
        check_limit(self.tokens, self.limits.tokens, "tokens")?;
        check_limit(self.nodes, self.limits.nodes, "brackets and operators")?;
        check_limit(self.depth, self.limits.depth, "brackets inside each other")?;
        check_limit(self.matchers, self.limits.matchers, "strings in matchers")
    }
}

fn check_limit(found: usize, most: usize, what: &'static str) -> Result<(), QueryError> {
    if found > most {
        return Err(QueryError::TooComplex { most, what });
    }
    Ok(())
}

fn is_operator(word: &str) -> bool {
    ["and", "or", "unless", "atan2"]
        .iter()
        .any(|operator| word.eq_ignore_ascii_case(operator))
}
