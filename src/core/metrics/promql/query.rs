//! The only way into the PromQL parser, and the way back to text.
//!
//! The parser would compile each regular expression of a query while it parses, up to 10 MiB each, and keep
//! it. So the parser never sees a string. Three steps replace them:
//!
//! 1. The lexer turns the query into tokens. It refuses a query beyond the limits.
//! 2. Each string literal becomes a short mark that no author can write, and each operator of a matcher
//!    becomes `=`. The parser reads that text.
//! 3. In the tree of the parser, each mark becomes the author's string again, with its operator.
//!
//! Invariant: after that the tree holds what the author wrote, except that the compiled expression of each
//! matcher is an empty one.
//!
//! ```text
//! a{b=~"c.*"} > 1_000   --tokens-->   a{b="(mark 0)"} > 1000.0   --parser, marks put back-->   the tree
//! ```

use std::{fmt::Write as _, sync::LazyLock};

use promql_parser::{
    label::{Labels, MatchOp, Matcher},
    parser::{
        self, BinModifier, Expr, LabelModifier, MatrixSelector, VectorMatchCardinality, VectorSelector,
        function::{Function, register_extra_functions},
        value::ValueType,
    },
};
use regex::Regex;

use super::{
    QueryError, children_mut,
    complexity::{AUTHORS, Limits, RENDERED},
    lexer,
    token::{Kind, Token},
};

/// The character before and after the number of a literal in its mark. It is a control character, so that a
/// mark is no label name, and the renderer always writes it in quotes.
const MARK: char = '\u{1}';
/// The expression that stands in the tree for each regular expression.
static NO_REGEX: LazyLock<Result<Regex, regex::Error>> = LazyLock::new(|| Regex::new(""));
/// Registers `holt_winters`, a function of Prometheus before 3.0 that the parser does not know.
static FUNCTIONS: LazyLock<Result<(), String>> = LazyLock::new(|| {
    let arguments = vec![ValueType::Matrix, ValueType::Scalar, ValueType::Scalar];
    let holt_winters = Function::new("holt_winters", arguments, 0, ValueType::Vector, false);
    register_extra_functions(vec![holt_winters])
});

/// Parses a query that an author wrote.
///
/// # Errors
/// See [`QueryError`].
pub fn parse(query: &str) -> Result<Expr, QueryError> {
    parse_within(query, &AUTHORS)
}

/// Parses a query whose result can be one number.
///
/// # Errors
/// See [`QueryError`].
pub fn parse_instant(query: &str) -> Result<Expr, QueryError> {
    let expr = parse(query)?;
    match expr.value_type() {
        ValueType::Vector | ValueType::Scalar => Ok(expr),
        ValueType::Matrix => Err(QueryError::WrongType("range vector")),
        ValueType::String => Err(QueryError::WrongType("string")),
    }
}

/// Writes a tree as text, and checks that the text parses back to the same tree. So a mistake of the renderer
/// is an error, never another query.
///
/// # Errors
/// [`QueryError::Unsupported`] for a tree that cannot be written, [`QueryError::TooComplex`] for a text that
/// would be too long.
pub fn render(expr: &Expr) -> Result<String, QueryError> {
    let rendered = expr.to_string();
    match parse_within(&rendered, &RENDERED) {
        Ok(again) if again == *expr => Ok(rendered),
        Err(error @ QueryError::TooComplex { .. }) => Err(error),
        _ => Err(QueryError::Unsupported("this spelling of the query")),
    }
}

fn parse_within(query: &str, limits: &'static Limits) -> Result<Expr, QueryError> {
    let refused = |words: &String| QueryError::Malformed(words.clone());
    FUNCTIONS.as_ref().map_err(refused)?;
    let (plain, literals) = marked(lexer::tokens(query, limits)?);
    let mut expr = parser::parse(&plain).map_err(|words| QueryError::Malformed(literals.explain(words)))?;
    literals.restore(&mut expr)?;
    Ok(expr)
}

/// A string literal of the query.
struct Literal {
    text: String,
    /// The operator before the literal, where it is the value of a matcher; else `=`.
    op: &'static str,
}

/// The literals of a query. The place in the list is the number in the mark.
struct Literals(Vec<Literal>);

/// Writes the query with marks, as the parser sees it. The second value says what the marks stand for.
fn marked(tokens: Vec<Token<'_>>) -> (String, Literals) {
    let (mut plain, mut literals) = (String::new(), Vec::new());
    let (mut in_braces, mut op) = (false, "=");
    for Token { kind, spaced } in tokens {
        // Between braces no space is written: the parser takes `or ` for an operator there even where it is a
        // label.
        if spaced && !in_braces {
            plain.push(' ');
        }
        match kind {
            Kind::Symbol(symbol @ ("=" | "!=" | "=~" | "!~")) if in_braces => {
                op = symbol;
                plain.push('=');
            }
            Kind::Symbol(symbol) => {
                in_braces = symbol == "{" || in_braces && symbol != "}";
                op = "=";
                plain.push_str(symbol);
            }
            Kind::Text(text) => {
                // Writing to a String cannot fail.
                let _ = write!(plain, "\"{MARK}{}{MARK}\"", literals.len());
                literals.push(Literal { text, op });
                op = "=";
            }
            // `{:?}` writes the shortest decimal form that reads back to the same value.
            Kind::Number(value) => {
                let _ = write!(plain, "{value:?}");
            }
            Kind::Word(text) | Kind::Duration(text) => plain.push_str(text),
        }
    }
    (plain, Literals(literals))
}

impl Literals {
    /// The literal behind a mark; `None` where the text is no mark.
    fn find(&self, mark: &str) -> Option<&Literal> {
        let number = mark.strip_prefix(MARK)?.strip_suffix(MARK)?;
        self.0.get(number.parse::<usize>().ok()?)
    }

    /// An error message of the parser, with the author's strings in place of marks.
    fn explain(&self, words: String) -> String {
        if !words.contains(MARK) {
            return words;
        }
        let parts = words.split(MARK).enumerate();
        parts
            .map(|(position, part)| match part.parse::<usize>() {
                // Every other part stands between two marks.
                Ok(number) if position % 2 == 1 => self.0.get(number).map_or(part, |literal| &literal.text),
                _ => part,
            })
            .collect()
    }

    fn restore_text(&self, text: &mut String) {
        if let Some(literal) = self.find(text) {
            text.clone_from(&literal.text);
        }
    }

    fn restore_labels(&self, labels: &mut Labels) {
        labels
            .labels
            .iter_mut()
            .for_each(|label| self.restore_text(label));
    }

    /// Puts the literals back into the tree. Gives equal meanings one form, so that trees can be compared.
    fn restore(&self, expr: &mut Expr) -> Result<(), QueryError> {
        match expr {
            Expr::VectorSelector(selector)
            | Expr::MatrixSelector(MatrixSelector {
                vs: selector,
                range: _,
            }) => self.restore_selector(selector)?,
            Expr::Aggregate(aggregate) => self.restore_groups(&mut aggregate.modifier),
            Expr::Binary(binary) => self.restore_modifier(&mut binary.modifier),
            Expr::StringLiteral(literal) => self.restore_text(&mut literal.val),
            Expr::Unary(_)
            | Expr::Paren(_)
            | Expr::Subquery(_)
            | Expr::Call(_)
            | Expr::NumberLiteral(_)
            | Expr::Extension(_) => {}
        }
        children_mut(expr)
            .into_iter()
            .try_for_each(|child| self.restore(child))
    }

    fn restore_groups(&self, modifier: &mut Option<LabelModifier>) {
        if let Some(LabelModifier::Include(labels) | LabelModifier::Exclude(labels)) = modifier {
            self.restore_labels(labels);
        }
        // `sum by () (a)` means `sum(a)`, and the renderer writes only the latter.
        modifier.take_if(|modifier| modifier.is_include() && modifier.labels().is_empty());
    }

    fn restore_modifier(&self, modifier: &mut Option<BinModifier>) {
        let Some(inner) = modifier else { return };
        if let Some(LabelModifier::Include(labels) | LabelModifier::Exclude(labels)) = &mut inner.matching {
            self.restore_labels(labels);
        }
        if let VectorMatchCardinality::ManyToOne(labels) | VectorMatchCardinality::OneToMany(labels) =
            &mut inner.card
        {
            self.restore_labels(labels);
        }
        // `a + ignoring () b` means `a + b`, and the renderer writes only the latter.
        inner
            .matching
            .take_if(|matching| !matching.is_include() && matching.labels().is_empty());
        modifier.take_if(|modifier| *modifier == BinModifier::default());
    }

    /// Restores the matchers of a selector. The parser saw `=` everywhere, so Prometheus' rules that depend
    /// on operators and values are checked here: one name, and one matcher that does not match the empty
    /// string.
    fn restore_selector(&self, selector: &mut VectorSelector) -> Result<(), QueryError> {
        let mut names = usize::from(selector.name.is_some());
        for matcher in &mut selector.matchers.matchers {
            self.restore_matcher(matcher)?;
            names += usize::from(matcher.name == "__name__" && matcher.op == MatchOp::Equal);
        }
        if selector.name.is_some() && names > 1 {
            return Err(QueryError::Malformed(
                "a selector names its metric twice".to_owned(),
            ));
        }
        if names == 0 && selector.matchers.matchers.iter().all(matches_empty) {
            return Err(QueryError::Malformed(
                "a selector needs a metric's name or a matcher that does not match the empty string"
                    .to_owned(),
            ));
        }
        // The renderer sorts matchers. In the same order here, the tree equals the one that is parsed back.
        selector.matchers.matchers.sort_by_cached_key(ToString::to_string);
        Ok(())
    }

    fn restore_matcher(&self, matcher: &mut Matcher) -> Result<(), QueryError> {
        self.restore_text(&mut matcher.name);
        let Some(literal) = self.find(&matcher.value) else {
            return Ok(());
        };
        let no_regex = || match &*NO_REGEX {
            Ok(regex) => Ok(regex.clone()),
            Err(error) => Err(QueryError::Malformed(error.to_string())),
        };
        matcher.op = match literal.op {
            "!=" => MatchOp::NotEqual,
            "=~" => MatchOp::Re(no_regex()?),
            "!~" => MatchOp::NotRe(no_regex()?),
            _ => MatchOp::Equal,
        };
        matcher.value.clone_from(&literal.text);
        Ok(())
    }
}

/// Whether a matcher matches the empty string. Regular expressions are not compiled: only the two usual ones
/// for "anything" (`""` and `".*"`) count as matching it.
fn matches_empty(matcher: &Matcher) -> bool {
    let is_anything = matches!(matcher.value.as_str(), "" | ".*");
    match matcher.op {
        MatchOp::Equal => matcher.value.is_empty(),
        MatchOp::NotEqual => !matcher.value.is_empty(),
        MatchOp::Re(_) => is_anything,
        MatchOp::NotRe(_) => !is_anything,
    }
}

#[cfg(test)]
mod tests;
