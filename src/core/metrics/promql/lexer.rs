//! The lexer: it turns PromQL into tokens by the rules of Prometheus' own lexer, and counts what they cost to
//! parse.
//!
//! Source: `promql/parser/lex.go` of Prometheus.
//!
//! Tokens have no comments and no white space, strings are unquoted and numbers are read. So the code after
//! the lexer sees structure alone: a bracket inside a string is no bracket. The lexer counts tokens too, so
//! that a query beyond a limit never reaches the parser. An example:
//!
//! ```text
//! rate(a{b="(c"}[5m]) > 1_0   -->   rate ( a { b = Text "(c" } [ Duration 5m ] ) > Number 10
//! ```

use super::{
    QueryError,
    complexity::{Complexity, Limits},
    literal,
    token::{Kind, Token},
};

/// Symbols in an expression. Longer ones come first, so that `=` is not found where the text is `==`.
const SYMBOLS: [&str; 21] = [
    "==", "!=", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "%", "^", "@", ",", "(", ")", "{", "}", "[",
    "]",
];
/// Symbols between the braces of a selector.
const SYMBOLS_IN_BRACES: [&str; 6] = ["=~", "!~", "!=", "=", ",", "}"];
/// Symbols between the brackets of a range.
const SYMBOLS_IN_BRACKETS: [&str; 2] = [":", "]"];

/// Numbers of seconds that are accepted as a duration: 1 ms to 30 years. The parser would panic over a number
/// that a duration cannot hold.
const DURATIONS: std::ops::RangeInclusive<f64> = 0.001..=1e9;

/// The place of the lexer in the query. The same character has another meaning in each place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Expression,
    Braces,
    Brackets,
}

/// Turns a query into tokens.
///
/// # Errors
/// [`QueryError::TooComplex`] beyond a limit, [`QueryError::Malformed`] for text that Prometheus' lexer
/// refuses too.
pub(super) fn tokens<'a>(query: &'a str, limits: &'static Limits) -> Result<Vec<Token<'a>>, QueryError> {
    let mut complexity = Complexity::new(query, limits)?;
    let mut lexer = Lexer {
        rest: query,
        place: Place::Expression,
    };
    let mut tokens: Vec<Token<'a>> = Vec::new();
    loop {
        let spaced = lexer.skip();
        let Some(kind) = lexer.next()? else {
            return match lexer.place {
                Place::Expression => Ok(tokens),
                Place::Braces => Err(malformed("a { is not closed")),
                Place::Brackets => Err(malformed("a [ is not closed")),
            };
        };
        // The count comes before the token is kept, so that a long query ends at the limit.
        complexity.count(&kind, lexer.place == Place::Braces)?;
        if lexer.place == Place::Braces && is_or_between_matchers(&kind, &tokens) {
            return Err(QueryError::Unsupported("`or` between matchers"));
        }
        // Prometheus accepts a bare number as a duration in seconds, such as `a[300]`.
        if let Kind::Number(seconds) = kind
            && is_duration(&tokens)
            && !DURATIONS.contains(&seconds)
        {
            return Err(malformed(format!("{seconds} seconds are no duration")));
        }
        tokens.push(Token { kind, spaced });
    }
}

/// Whether a number after these tokens is a duration in seconds: after `[`, `:`, `offset` or `offset -`.
fn is_duration(before: &[Token<'_>]) -> bool {
    let mut before = before.iter().rev().map(|token| &token.kind);
    let last = before.next();
    let is_offset = |kind: Option<&Kind<'_>>| matches!(kind, Some(Kind::Word(word)) if word.eq_ignore_ascii_case("offset"));
    match last {
        Some(Kind::Symbol("[" | ":")) => true,
        Some(Kind::Symbol("+" | "-")) => is_offset(before.next()),
        last => is_offset(last),
    }
}

/// Whether this token is `or` after the value of a matcher. `or` may be the name of a label too, but then no
/// string comes before it.
fn is_or_between_matchers(kind: &Kind<'_>, before: &[Token<'_>]) -> bool {
    let is_or = matches!(kind, Kind::Word(word) if word.eq_ignore_ascii_case("or"));
    is_or
        && matches!(
            before.last(),
            Some(Token {
                kind: Kind::Text(_),
                ..
            })
        )
}

struct Lexer<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Lexer<'a> {
    /// Skips white space and comments. True if there were any.
    fn skip(&mut self) -> bool {
        let before = self.rest.len();
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
            match self.rest.strip_prefix('#') {
                Some(comment) => {
                    let end = comment.find(['\n', '\r']).unwrap_or(comment.len());
                    self.rest = comment.get(end..).unwrap_or_default();
                }
                None => return self.rest.len() < before,
            }
        }
    }

    /// Reads the next token; `None` at the end of the query.
    fn next(&mut self) -> Result<Option<Kind<'a>>, QueryError> {
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        // Between brackets nothing but durations is allowed: a quote there goes on to `symbol`, which refuses
        // it.
        if matches!(first, '"' | '\'' | '`') && self.place != Place::Brackets {
            let (text, rest) = literal::unquote(self.rest)?;
            self.rest = rest;
            return Ok(Some(Kind::Text(text)));
        }
        // `.5` is a number too. Between braces there are no numbers.
        let starts_number = first.is_ascii_digit()
            || first == '.' && self.rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit());
        if starts_number && self.place != Place::Braces {
            return self.number().map(Some);
        }
        // The name of a metric may have colons (recording rules have), the name of a label may not.
        let is_letter = |char: char| char.is_ascii_alphabetic() || char == '_';
        let (starts_word, colons) = match self.place {
            Place::Expression => (is_letter(first) || first == ':', true),
            Place::Braces => (is_letter(first), false),
            Place::Brackets => (false, false),
        };
        if starts_word {
            let word = self.take(|char| is_letter(char) || char.is_ascii_digit() || colons && char == ':');
            return Ok(Some(Kind::Word(word)));
        }
        self.symbol().map(Some)
    }

    /// Reads a symbol, and enters or leaves braces and brackets with it.
    fn symbol(&mut self) -> Result<Kind<'a>, QueryError> {
        let symbols: &[&'static str] = match self.place {
            Place::Expression => &SYMBOLS,
            Place::Braces => &SYMBOLS_IN_BRACES,
            Place::Brackets => &SYMBOLS_IN_BRACKETS,
        };
        let found = symbols
            .iter()
            .find_map(|symbol| Some((*symbol, self.rest.strip_prefix(symbol)?)));
        let Some((symbol, rest)) = found else {
            let char = self.rest.chars().next().unwrap_or_default();
            return Err(match self.place {
                Place::Expression => malformed(format!("unexpected character {char:?}")),
                Place::Braces => malformed(format!("unexpected character {char:?} between {{ and }}")),
                Place::Brackets => malformed(format!(
                    "unexpected character {char:?} between [ and ]: plain durations stand there, such as 5m; \
                     arithmetic with durations is not understood"
                )),
            });
        };
        self.rest = rest;
        self.place = match symbol {
            "{" => Place::Braces,
            "[" => Place::Brackets,
            "}" | "]" if self.place == Place::Expression => {
                return Err(malformed(format!("unexpected {symbol:?}")));
            }
            "}" | "]" => Place::Expression,
            _ => self.place,
        };
        Ok(Kind::Symbol(symbol))
    }

    /// Reads a number or a duration: letters and digits, and the sign of an exponent.
    fn number(&mut self) -> Result<Kind<'a>, QueryError> {
        let mut before = None;
        let is_hex = self.rest.starts_with("0x") || self.rest.starts_with("0X");
        let written = self.take(|char| {
            let is_exponent = !is_hex && matches!(before, Some('e' | 'E')) && matches!(char, '+' | '-');
            before = Some(char);
            is_exponent || char.is_ascii_alphanumeric() || matches!(char, '_' | '.')
        });
        if literal::duration(written).is_some() {
            return Ok(Kind::Duration(written));
        }
        literal::number(written)
            .map(Kind::Number)
            .ok_or_else(|| malformed(format!("bad number or duration {written:?}")))
    }

    /// Takes characters while they belong to the token.
    fn take(&mut self, mut belongs: impl FnMut(char) -> bool) -> &'a str {
        let end = self.rest.find(|char| !belongs(char)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

fn malformed(words: impl Into<String>) -> QueryError {
    QueryError::Malformed(words.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::promql::complexity::AUTHORS;

    fn kinds(query: &str) -> Vec<Kind<'_>> {
        let tokens = tokens(query, &AUTHORS).unwrap();
        tokens.into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn strings_hide_what_is_in_them_whatever_their_quotes() {
        for quoted in [r#""a{(-#'`""#, "'a{(-#`\"'", "`a{(-#'\"\\`"] {
            assert!(matches!(kinds(quoted).as_slice(), [Kind::Text(_)]), "{quoted}");
        }
        assert_eq!(kinds("`\\d+`"), [Kind::Text("\\d+".to_owned())]);
    }

    #[test]
    fn a_comment_ends_with_its_line() {
        let two = [Kind::Word("a"), Kind::Word("b")];
        assert_eq!(kinds("a # ({\" \nb"), two);
        assert_eq!(kinds("a#\rb#"), two);
    }

    #[test]
    fn the_same_character_means_something_else_in_braces_and_in_brackets() {
        assert_eq!(
            kinds("a:b{c=~\"d\"}[5m:1m]"),
            [
                Kind::Word("a:b"),
                Kind::Symbol("{"),
                Kind::Word("c"),
                Kind::Symbol("=~"),
                Kind::Text("d".to_owned()),
                Kind::Symbol("}"),
                Kind::Symbol("["),
                Kind::Duration("5m"),
                Kind::Symbol(":"),
                Kind::Duration("1m"),
                Kind::Symbol("]"),
            ]
        );
    }

    #[test]
    fn numbers_are_those_of_prometheus() {
        for (written, value) in [
            ("1_000", 1000.0),
            ("0x1F", 31.0),
            ("0755", 493.0),
            ("08", 8.0),
            ("0e5", 0.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e-3", 0.001),
            ("1E+3", 1000.0),
        ] {
            assert_eq!(kinds(written), [Kind::Number(value)], "{written}");
        }
        assert_eq!(
            kinds("1-2"),
            [Kind::Number(1.0), Kind::Symbol("-"), Kind::Number(2.0)]
        );
    }

    #[test]
    fn what_is_no_promql_is_refused_with_its_place() {
        for (query, words) in [
            ("a{", "not closed"),
            ("a[5m", "not closed"),
            ("a}", "unexpected"),
            ("\"a", "not closed"),
            ("1a", "bad number or duration \"1a\""),
            ("a[1m + 1m]", "arithmetic with durations is not understood"),
            ("a{b=~c{}}", "between { and }"),
            ("ä", "unexpected character 'ä'"),
            ("a[1e300]", "no duration"),
            ("a[1m:1e300]", "no duration"),
            ("a offset -1e300", "no duration"),
            ("a offset 0", "no duration"),
        ] {
            let error = tokens(query, &AUTHORS).unwrap_err().to_string();
            assert!(error.contains(words), "{query}: {error}");
        }
    }
}
