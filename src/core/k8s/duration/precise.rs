//! Durations in scenarios and reports, from milliseconds to hours: `500ms`, `1.5s`, `2m`, `1h30m`.

use std::time::Duration;

/// Why a duration was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration: use ms, s, m and h, such as 500ms, 1.5s or 1h30m")]
pub struct ParseDurationError(String);

/// Why a duration that has to be more than zero was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PositiveError {
    /// The text is not a duration.
    #[error(transparent)]
    Parse(#[from] ParseDurationError),
    /// The duration is zero.
    #[error("must be more than 0s")]
    Zero,
}

/// Parses a duration that is not zero.
///
/// # Errors
/// When the text is not a duration, or the duration is zero.
pub fn parse_positive(text: &str) -> Result<Duration, PositiveError> {
    match parse(text)? {
        Duration::ZERO => Err(PositiveError::Zero),
        duration => Ok(duration),
    }
}

/// Units and their seconds. `ms` stands before `m`, so that `ms` is not read as minutes.
const UNITS: [(&str, f64); 4] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// Longest accepted duration, in seconds: one year.
pub const LONGEST: f64 = 365.0 * 86400.0;

/// Parses a duration. Zero is allowed (`0s`).
///
/// # Errors
/// When the text is empty, has another unit, or the duration is longer than a year.
pub fn parse(text: &str) -> Result<Duration, ParseDurationError> {
    let refused = || ParseDurationError(text.to_owned());
    let (mut seconds, mut rest) = (0.0, text);
    if text.is_empty() {
        return Err(refused());
    }
    while !rest.is_empty() {
        let end = rest.find(|char: char| !char.is_ascii_digit() && char != '.');
        let (number, tail) = rest.split_at(end.ok_or_else(refused)?);
        let (unit, factor) = UNITS
            .into_iter()
            .find(|(unit, _)| tail.starts_with(unit))
            .ok_or_else(refused)?;
        let number: f64 = number.parse().map_err(|_| refused())?;
        seconds += number * factor;
        rest = tail.get(unit.len()..).unwrap_or_default();
    }
    if seconds > LONGEST {
        return Err(refused());
    }
    // Rounded to whole microseconds, because 0.3 has no exact binary form.
    Ok(Duration::from_micros(micros(seconds)))
}

fn micros(seconds: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded by a year, and digits have no sign"
    )]
    let micros = (seconds * 1e6).round() as u64;
    micros
}

/// Formats a duration as [`parse`] reads it, cut to milliseconds.
pub fn format(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 {
        return if millis == 0 {
            "0s".to_owned()
        } else {
            format!("{millis}ms")
        };
    }
    let (seconds, rest) = (millis / 1000, millis % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = String::new();
    for (value, unit) in [(hours, 'h'), (minutes, 'm')] {
        if value > 0 {
            text.push_str(&value.to_string());
            text.push(unit);
        }
    }
    if rest > 0 {
        let fraction = format!("{rest:03}");
        let seconds = format!("{seconds}.{}s", fraction.trim_end_matches('0'));
        text.push_str(&seconds);
    } else if seconds > 0 {
        let seconds = format!("{seconds}s");
        text.push_str(&seconds);
    }
    text
}

/// Formats a measured duration with three digits: `850us`, `12.3ms`, `1.25s`, `2m5s`.
pub fn short(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    // Each limit is where rounding would give a fourth digit: 9.996 s would be "10.00s", so it becomes
    // "10.0s".
    match seconds {
        _ if seconds < 0.000_999_5 => format!("{:.0}us", seconds * 1e6),
        _ if seconds < 0.009_995 => format!("{:.2}ms", seconds * 1e3),
        _ if seconds < 0.099_95 => format!("{:.1}ms", seconds * 1e3),
        _ if seconds < 0.999_5 => format!("{:.0}ms", seconds * 1e3),
        _ if seconds < 9.995 => format!("{seconds:.2}s"),
        _ if seconds < 99.95 => format!("{seconds:.1}s"),
        _ => format(Duration::from_secs(
            duration
                .as_millis()
                .saturating_add(500)
                .try_into()
                .unwrap_or(u64::MAX)
                / 1000,
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn milliseconds_to_hours_are_read() {
        for (text, millis) in [
            ("500ms", 500),
            ("1.5s", 1500),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["", "5", "5d", "ms", "1..5s", "-1s", "9999999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn measured_durations_have_three_digits_also_where_rounding_makes_one_more() {
        for (micros, text) in [
            (0, "0us"),
            (850, "850us"),
            (9_994, "9.99ms"),
            (9_996, "10.0ms"),
            (12_340, "12.3ms"),
            (500_000, "500ms"),
            (999_600, "1.00s"),
            (1_250_000, "1.25s"),
            (99_960_000, "1m40s"),
            (125_400_000, "2m5s"),
        ] {
            assert_eq!(short(Duration::from_micros(micros)), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(millis in 0_u64..10_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&format(duration)).unwrap(), duration);
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
