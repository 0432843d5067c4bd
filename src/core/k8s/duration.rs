//! Durations as users write them, in two notations.
//!
//! - In resources, in the metrics server's configuration and for most flags: whole seconds, as `30s`, `1m`, `1h30m`, `2d`.
//!   The units are days, hours, minutes and seconds, in that order. A day is exactly 24 hours. The published patterns of
//!   the CRD say the same; of fields that are at most an hour they leave the days out.
//! - In scenarios and on the command line of load tests: [`precise`], from milliseconds on and with fractions.

pub mod precise;

use std::time::Duration;

/// Why a duration was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a duration: use days, hours, minutes and seconds such as 7d, 30s, 2m or 1h30m")]
pub struct ParseDurationError;

/// Parses a positive duration.
///
/// # Errors
/// When the text is empty, means zero, has its units in another order, has another unit, or is too large.
pub fn parse(text: &str) -> Result<Duration, ParseDurationError> {
    let mut rest = text;
    let mut seconds: u64 = 0;
    for (unit, factor) in [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((number, tail)) = rest.split_once(unit) {
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(ParseDurationError);
            }
            let number: u64 = number.parse().map_err(|_| ParseDurationError)?;
            seconds = number
                .checked_mul(factor)
                .and_then(|part| seconds.checked_add(part))
                .ok_or(ParseDurationError)?;
            rest = tail;
        }
    }
    if rest.is_empty() && seconds > 0 {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(ParseDurationError)
    }
}

/// Formats whole seconds in the notation that [`parse`] reads. 90 seconds become `1m30s`.
#[must_use]
pub fn format(duration: Duration) -> String {
    let total = duration.as_secs();
    let mut text = String::new();
    for (value, unit) in [(total / 3600, 'h'), (total % 3600 / 60, 'm'), (total % 60, 's')] {
        if value > 0 {
            text.push_str(&value.to_string());
            text.push(unit);
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_days_hours_minutes_and_seconds() {
        for (text, seconds) in [
            ("30s", 30),
            ("2m", 120),
            ("1h30m", 5400),
            ("1h1s", 3601),
            ("90m", 5400),
            ("1d", 86_400),
            ("1d12h", 129_600),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_positive_duration() {
        for text in [
            "",
            "0s",
            "5",
            "1w",
            "1h1d",
            "1.5m",
            "-1m",
            "m",
            "1s1m",
            "1m 30s",
            "99999999999999999999s",
        ] {
            assert_eq!(parse(text), Err(ParseDurationError), "{text}");
        }
    }

    #[test]
    fn what_is_formatted_reads_back() {
        for seconds in [1, 59, 60, 61, 3600, 3661, 86_400] {
            let duration = Duration::from_secs(seconds);
            assert_eq!(parse(&format(duration)), Ok(duration));
        }
    }
}
