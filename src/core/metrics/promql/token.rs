//! The tokens of PromQL.

/// One token of PromQL. It borrows its text from the query.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    /// Whether white space or a comment comes before the token.
    pub(super) spaced: bool,
}

/// The kinds of tokens.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'a> {
    /// A string literal, unquoted.
    Text(String),
    /// The value of a number.
    Number(f64),
    /// A duration such as `1h30m`, as the author wrote it.
    Duration(&'a str),
    /// A name or a keyword.
    Word(&'a str),
    /// A bracket, an operator, a comma or a colon.
    Symbol(&'static str),
}
