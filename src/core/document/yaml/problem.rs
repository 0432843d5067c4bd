//! Error messages for a text that is not YAML, in words for its author.

use serde_saphyr::{Error, ExternalMessageSource, budget::BudgetBreach, granit_parser::ErrorKind};

use super::Place;

/// A text that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct SyntaxError {
    /// Line and column of the problem; `None` if no single place has it.
    pub place: Option<Place>,
    /// The problem, and the fix.
    pub problem: String,
}

impl SyntaxError {
    /// The message in one line with its place: `line 3, column 5: ...`.
    #[must_use]
    pub fn located(&self) -> String {
        match self.place {
            Some(Place { line, column }) => format!("line {line}, column {column}: {}", self.problem),
            None => self.problem.clone(),
        }
    }

    pub(super) fn of(error: &Error) -> Self {
        let error = error.without_snippet();
        let location = error.location().map(Place::of);
        Self {
            place: location.filter(|place| place.line > 0),
            problem: words(error),
        }
    }
}

fn words(error: &Error) -> String {
    let words = match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            return format!("the field {key} is there twice; keep one");
        }
        Error::DuplicateMappingKey { key: None, .. } => "the same field is there twice; keep one",
        Error::NonFiniteFloat { value, .. } => {
            return format!("{value} is no number that can be used; put it in quotes if it is text");
        }
        Error::UnknownAnchor { .. } => {
            "there is no anchor of this name above; a value that starts with * goes in quotes"
        }
        Error::Eof { .. } => "the text ends too early",
        Error::MergeValueNotMapOrSeqOfMaps { .. } => "<< takes a mapping, or a list of mappings",
        Error::InvalidUtf8Input | Error::BinaryNotUtf8 { .. } | Error::InvalidBinaryBase64 { .. } => {
            "the text is not UTF-8"
        }
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => {
            "the aliases (*name) stand for more than a manifest holds: at most 1,000,000 values in all"
        }
        Error::Budget { breach, .. } => return limit(breach),
        Error::AliasError { error, .. } => return self::words(error),
        Error::ExternalMessage { source, .. } => match source.as_ref() {
            ExternalMessageSource::Parser(error) => return syntax(error.kind()),
            _ => FALLBACK,
        },
        _ => FALLBACK,
    };
    words.to_owned()
}

/// The message for errors that have no better one.
const FALLBACK: &str =
    "this is not YAML; look at the quotes, brackets and indentation here and in the line above";

fn limit(breach: &BudgetBreach) -> String {
    match breach {
        BudgetBreach::Depth { .. } => "the values are nested too deeply: at most 64 levels".to_owned(),
        BudgetBreach::Documents { .. } => "there are too many documents: at most 1,024 in a file".to_owned(),
        _ => "the file holds too much: at most 250,000 values, aliases counted each time".to_owned(),
    }
}

fn syntax(kind: &ErrorKind) -> String {
    let words = match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar
        | ErrorKind::InvalidBlockEntryWhitespace
        | ErrorKind::InvalidMappingValueWhitespace => "there is a tab here; indent by spaces",
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::DocumentIndicatorInQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent => "this quote is not closed",
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            "there is text behind the closing quote; put the whole value in quotes"
        }
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape => {
            "this \\ starts no known escape; write \\\\ for a backslash, or use single quotes"
        }
        ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::InvalidFlowScalarIndent => {
            "a bracket ({ or [) is not closed, or a comma is missing; a value that starts with a bracket and is text goes in quotes"
        }
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::MismatchedFlowCollectionEnd { .. } => {
            "this bracket closes nothing that is open"
        }
        ErrorKind::RecursionLimitExceeded => return limit(&BudgetBreach::Depth { depth: 0 }),
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::MappingKeyNotAllowed => {
            "a second `: ` in one line, or a field that is indented deeper than its neighbours; put the value in quotes if it is text"
        }
        ErrorKind::UnexpectedCharacter { character } => {
            return format!("a value cannot start with {character}; put it in quotes");
        }
        ErrorKind::UnknownAnchor | ErrorKind::MissingAnchorOrAliasName => {
            "there is no anchor of this name above; a value that starts with * or & goes in quotes"
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::InvalidIndentation
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::UnexpectedEofBlockMapping
        | ErrorKind::UnexpectedEofBlockSequence => {
            "the indentation fits none of the lines above, or a `: ` is missing behind a name"
        }
        _ => FALLBACK,
    };
    words.to_owned()
}
