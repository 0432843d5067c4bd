//! Durations as flags take them.

use std::time::Duration;

use vas_core::k8s::duration::{self, ParseDurationError};
use vas_loadtest::scenario::duration as exact;

/// Parses whole hours, minutes and seconds, more than zero: `30s`, `2m`, `1h30m`. It is the notation of
/// VoiceAssistScaling.
///
/// # Errors
/// When the text is not such a duration.
pub(crate) fn parse(text: &str) -> Result<Duration, ParseDurationError> {
    duration::parse(text)
}

/// As [`parse`], and at least `least`. `why` says why less does not do.
pub(crate) fn at_least(text: &str, least: Duration, why: &str) -> Result<Duration, String> {
    let duration = parse(text).map_err(|error| error.to_string())?;
    if duration < least {
        return Err(format!("must be at least {}: {why}", duration::format(least)));
    }
    Ok(duration)
}

/// As [`parse`], and at most `most`.
pub(crate) fn at_most(text: &str, most: Duration) -> Result<Duration, String> {
    let duration = parse(text).map_err(|error| error.to_string())?;
    if duration > most {
        return Err(format!("must be at most {}", duration::format(most)));
    }
    Ok(duration)
}

/// Parses a duration to the millisecond, in the notation of scenarios, more than zero: `500ms`, `1.5s`.
///
/// # Errors
/// When the text is not such a duration.
pub(crate) fn parse_exact(text: &str) -> Result<Duration, exact::PositiveError> {
    exact::parse_positive(text)
}

/// As [`parse_exact`], and zero, where zero means not to wait.
///
/// # Errors
/// When the text is not such a duration.
pub(crate) fn parse_wait(text: &str) -> Result<Duration, exact::ParseDurationError> {
    exact::parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_named_in_the_notation_of_flags() {
        let least = |text| at_least(text, Duration::from_secs(5), "it needs time");
        assert_eq!(least("4s").unwrap_err(), "must be at least 5s: it needs time");
        assert_eq!(least("5s"), Ok(Duration::from_secs(5)));
        let most = |text| at_most(text, Duration::from_secs(86_400));
        assert_eq!(most("25h").unwrap_err(), "must be at most 24h");
        assert_eq!(most("24h"), Ok(Duration::from_secs(86_400)));
        assert!(least("x").unwrap_err().contains("30s, 2m or 1h30m"));
    }

    #[test]
    fn a_wait_may_be_none_and_other_durations_not() {
        assert_eq!(parse_wait("0s"), Ok(Duration::ZERO));
        assert!(parse("0s").is_err() && parse_exact("0s").is_err());
        assert_eq!(parse_exact("500ms"), Ok(Duration::from_millis(500)));
    }
}
