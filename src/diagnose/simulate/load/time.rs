//! The forms of a time.

use jiff::{Timestamp, civil::DateTime, tz::Offset};

/// Reads a time: seconds since 1970, RFC 3339, or a date and a time of day, which is taken as UTC.
///
/// # Errors
/// When the text is none of these.
pub fn read(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    let wrong = || {
        let text: String = text.chars().take(40).collect();
        format!(
            "the time {text:?} is none: write seconds since 1970 such as 1772359200, or 2026-03-01T10:00:00Z, or 2026-03-01 10:00:00 for UTC"
        )
    };
    if let Ok(seconds) = text.parse::<f64>() {
        return of_seconds(seconds).ok_or_else(wrong);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let civil: DateTime = text.parse().map_err(|_| wrong())?;
    Offset::UTC.to_timestamp(civil).map_err(|_| wrong())
}

/// The moment so many seconds after 1970, to the millisecond.
pub(super) fn of_seconds(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds * 1000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    let whole = (millis.abs() < 1e15).then_some(millis as i64)?;
    Timestamp::from_millisecond(whole).ok()
}
