//! When a cookie expires, in the many ways in which servers write it (RFC 6265, section 5.1.1): the tokens
//! for day, month, year and time may come in any order.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Reads a date; `None` where it is none.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let delimits = |char: char| char.is_ascii() && !char.is_ascii_alphanumeric() && char != ':';
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(delimits).filter(|token| !token.is_empty()) {
        if time.is_none()
            && let Some(found) = time_of(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = number(token, 1..=2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = month_of(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = number(token, 2..=4)
        {
            year = Some(found);
        }
    }
    let year = match year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year => year,
    };
    if year < 1601 {
        return None;
    }
    let (hour, minute, second) = time?;
    let day = i8::try_from(day?).ok()?;
    let date = DateTime::new(year, month?, day, hour, minute, second, 0).ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// `07:28:00`.
fn time_of(token: &str) -> Option<(i8, i8, i8)> {
    let mut parts = token.split(':');
    let mut part = || number(parts.next()?, 1..=2).and_then(|part| i8::try_from(part).ok());
    let time = (part()?, part()?, part()?);
    parts.next().is_none().then_some(time)
}

fn month_of(token: &str) -> Option<i8> {
    let name = token.get(..3)?.to_ascii_lowercase();
    let index = MONTHS.iter().position(|month| *month == name)?;
    i8::try_from(index + 1).ok()
}

/// A number of so many digits, whatever text follows them.
fn number(token: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i16> {
    let end = token
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(token.len());
    let found = digits.contains(&end);
    token.get(..end).filter(|_| found)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_form_of_a_date_is_read() {
        for text in [
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "Wed, 21-Oct-2015 07:28:00 GMT",
            "Wednesday, 21-Oct-15 07:28:00 GMT",
            "Wed Oct 21 07:28:00 2015",
            "21 october 2015 7:28:0",
        ] {
            let parsed = parse(text).map(|date| date.to_string());
            assert_eq!(parsed.as_deref(), Some("2015-10-21T07:28:00Z"), "{text}");
        }
        for text in [
            "",
            "never",
            "21 Oct 2015",
            "32 Oct 2015 07:28:00",
            "21 Oct 1500 07:28:00",
            "21 Oct 2015 25:00:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_date_or_none(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
