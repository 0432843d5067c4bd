//! Values that are made up: random numbers and texts, identifiers, the time, and counters.

use std::str::FromStr;

/// Longest random text, in characters.
const LONGEST: u16 = 4096;

/// How a value is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generator {
    /// Any whole number from the first to the second, both included.
    Integer(i64, i64),
    /// This many lower-case letters and digits.
    Text(u16),
    /// A random UUID (version 4).
    Uuid,
    /// The time at which the turn begins.
    Now(Stamp),
    /// The next number of all users together, from this one on.
    Sequence(u64),
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// `2026-01-31T12:00:00.000Z`.
    Iso,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMillis,
}

/// Why a text says nothing that can be made up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GeneratorError {
    /// The text has none of the known forms.
    #[error(
        "{0:?} makes no value: write \"uuid\", \"randomInt FROM TO\", \"randomString LENGTH\", \"sequence\", \"sequence START\", \"now\", \"now unix\" or \"now unixMs\""
    )]
    Form(String),
    /// The first bound is above the second.
    #[error("{0:?} must begin with the lower bound")]
    Reversed(String),
    /// The length is zero or too great.
    #[error("{0:?} must have a length from 1 to {LONGEST}")]
    Length(String),
}

impl FromStr for Generator {
    type Err = GeneratorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let refused = || GeneratorError::Form(text.to_owned());
        match *words {
            ["uuid"] => Ok(Self::Uuid),
            ["randomInt", from, to] => {
                let from: i64 = from.parse().map_err(|_| refused())?;
                let to: i64 = to.parse().map_err(|_| refused())?;
                if from > to {
                    return Err(GeneratorError::Reversed(text.to_owned()));
                }
                Ok(Self::Integer(from, to))
            }
            ["randomString", length] => match length.parse() {
                Ok(length @ 1..=LONGEST) => Ok(Self::Text(length)),
                Ok(_) | Err(_) => Err(GeneratorError::Length(text.to_owned())),
            },
            ["sequence"] => Ok(Self::Sequence(1)),
            ["sequence", start] => Ok(Self::Sequence(start.parse().map_err(|_| refused())?)),
            ["now"] | ["now", "iso"] => Ok(Self::Now(Stamp::Iso)),
            ["now", "unix"] => Ok(Self::Now(Stamp::Unix)),
            ["now", "unixMs"] => Ok(Self::Now(Stamp::UnixMillis)),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        for (text, generator) in [
            ("uuid", Generator::Uuid),
            ("randomInt -5 5", Generator::Integer(-5, 5)),
            (" randomInt  7 7 ", Generator::Integer(7, 7)),
            ("randomString 10", Generator::Text(10)),
            ("sequence", Generator::Sequence(1)),
            ("sequence 0", Generator::Sequence(0)),
            ("now", Generator::Now(Stamp::Iso)),
            ("now unix", Generator::Now(Stamp::Unix)),
            ("now unixMs", Generator::Now(Stamp::UnixMillis)),
        ] {
            assert_eq!(text.parse(), Ok(generator), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused_with_the_forms_there_are() {
        for (text, words) in [
            ("", "randomInt FROM TO"),
            ("uuid 4", "\"uuid 4\" makes no value"),
            ("randomInt 1-5", "randomInt FROM TO"),
            ("randomInt 5 1", "begin with the lower bound"),
            ("randomString 0", "from 1 to 4096"),
            ("randomString 99999", "from 1 to 4096"),
            ("sequence -1", "sequence START"),
        ] {
            let error = text.parse::<Generator>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
