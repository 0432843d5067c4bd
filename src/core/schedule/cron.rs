//! Cron expressions of five fields.
//!
//! `minute hour day-of-month month day-of-week`, each a `*`, numbers, ranges `1-5`, steps `*/15`, lists `1,15`, and in
//! the last two fields the names `Jan` and `Mon`. Where day of month and day of week both are restricted, a day that
//! either of them names counts, as in every cron. The crate `croner` reads and evaluates them; what it takes beyond
//! this (seconds, years, `L`, `W`, `#`, `@daily`) is refused, because other programs that read the same text do not.
//!
//! Expressions are matched against the wall clock alone. What a wall clock means that never comes, or comes twice, is
//! decided in [`super::zone`]: croner decides it otherwise for expressions with `*`.

use croner::{
    Cron as Pattern,
    parser::{CronParser, Seconds, Year},
};
use jiff::civil::{Date, DateTime};

/// The fields in order: the name for messages, and names of values.
const FIELDS: [(&str, &[&str]); 5] = [
    ("minute", &[]),
    ("hour", &[]),
    ("day of month", &[]),
    ("month", &MONTHS),
    ("day of week", &DAYS),
];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// A leap year: a day that this year does not have is in no year.
const LEAP_YEAR: i16 = 2028;

/// A cron expression that matches some minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron(Pattern);

/// Why a text is no cron expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// The number of fields is wrong.
    #[error(
        "has {0} fields and cron has five: minute, hour, day of month, month, day of week, such as \"30 6 * * Mon-Fri\""
    )]
    Fields(usize),
    /// A field cannot be read.
    #[error(
        "the {field} is not to be read: {value:?}; use *, numbers, names of months and days, ranges 1-5, steps */15 and lists 1,15"
    )]
    Field {
        /// Name of the field.
        field: &'static str,
        /// Text of the field.
        value: String,
    },
    /// A field names a value that it cannot have, or a range that runs backwards.
    #[error("the {field} has a value out of its range, or a range that runs backwards: {value:?}")]
    Range {
        /// Name of the field.
        field: &'static str,
        /// Text of the field.
        value: String,
    },
    /// No day matches, such as February 30.
    #[error("no day of any year matches, so no window ever begins")]
    Never,
}

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// See [`CronError`].
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let count = fields.len();
        let fields: [&str; 5] = fields.try_into().map_err(|_| CronError::Fields(count))?;
        for ((field, names), value) in FIELDS.into_iter().zip(fields) {
            if !value.split(',').all(|part| is_part(part, names)) {
                return Err(CronError::Field {
                    field,
                    value: value.to_owned(),
                });
            }
        }
        let pattern = croner(&fields).ok_or_else(|| refused(fields))?;
        let cron = Self(pattern);
        if cron.matches_some_day() {
            Ok(cron)
        } else {
            Err(CronError::Never)
        }
    }

    /// The first match after a wall clock; `None` beyond the year 5000.
    pub(super) fn after(&self, wall: DateTime) -> Option<DateTime> {
        self.0.find_next_occurrence(&wall, false).ok()
    }

    /// The last match at or before a wall clock; `None` before the year 1.
    pub(super) fn at_or_before(&self, wall: DateTime) -> Option<DateTime> {
        self.0.find_previous_occurrence(&wall, true).ok()
    }

    /// Whether a day of a leap year matches. Without this, croner would look for a February 30 up to the year 5000.
    fn matches_some_day(&self) -> bool {
        // With a day of the week in it, an expression matches within a week, so one year tells.
        Date::new(LEAP_YEAR, 1, 1).is_ok_and(|first| {
            let mut days = first.series(jiff::Span::new().days(1)).take(366);
            days.any(|day| self.matches(day))
        })
    }

    fn matches(&self, day: Date) -> bool {
        let weekday = day.weekday().to_sunday_zero_offset();
        let number = |number: i8| u32::try_from(number).unwrap_or_default();
        let weekday = croner::Weekday::from_days_from_sunday(number(weekday));
        let (month, of_month) = (number(day.month()), number(day.day()));
        let pattern = &self.0.pattern;
        pattern.month_match(month).unwrap_or(false)
            && pattern
                .day_match(i32::from(day.year()), month, of_month, weekday)
                .unwrap_or(false)
    }
}

fn croner(fields: &[&str; 5]) -> Option<Pattern> {
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    parser.parse(&fields.join(" ")).ok()
}

/// The error for the field that cannot stand even alone.
fn refused(fields: [&str; 5]) -> CronError {
    let alone = |position: usize, value| {
        let mut others = ["*"; 5];
        if let Some(place) = others.get_mut(position) {
            *place = value;
        }
        croner(&others)
    };
    let mut named = FIELDS.iter().zip(fields).enumerate();
    let wrong = named.find(|(position, (_, value))| alone(*position, *value).is_none());
    let (field, value) = wrong.map_or(("expression", fields.join(" ")), |(_, (field, value))| {
        (field.0, value.to_owned())
    });
    CronError::Range { field, value }
}

/// Whether a part of a list has the form `*`, `5`, `Mon`, `1-5`, with or without a step `/2`.
fn is_part(part: &str, names: &[&str]) -> bool {
    let (range, step) = part
        .split_once('/')
        .map_or((part, None), |(range, step)| (range, Some(step)));
    let is_number =
        |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_value = |text: &str| is_number(text) || names.iter().any(|name| name.eq_ignore_ascii_case(text));
    let is_range = || {
        range
            .split_once('-')
            .is_some_and(|(from, to)| is_value(from) && is_value(to))
    };
    let whole = range == "*" || is_range();
    match step {
        Some(step) => whole && is_number(step),
        None => whole || is_value(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Cron::parse(text).unwrap_err().to_string()
    }

    fn next(text: &str, wall: &str) -> String {
        let cron = Cron::parse(text).unwrap();
        cron.after(wall.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn five_fields_are_read() {
        for (text, wall, first) in [
            ("30 6 * * Mon-Fri", "2026-11-28T00:00", "2026-11-30T06:30:00"),
            ("30 6 * * 1-5", "2026-11-30T06:30", "2026-12-01T06:30:00"),
            ("*/15 8-9 1,15 * *", "2026-11-15T08:45", "2026-11-15T09:00:00"),
            ("0 0 29 feb *", "2026-01-01T00:00", "2028-02-29T00:00:00"),
            ("0 0 * * 7", "2026-11-28T00:00", "2026-11-29T00:00:00"),
            ("0 0 1 * fri-sun", "2026-11-30T00:00", "2026-12-01T00:00:00"),
        ] {
            assert_eq!(next(text, wall), first, "{text}");
        }
        let cron = Cron::parse("30 6 * * Mon-Fri").unwrap();
        let last = cron.at_or_before("2026-11-29T12:00".parse().unwrap()).unwrap();
        assert_eq!(last.to_string(), "2026-11-27T06:30:00");
    }

    #[test]
    fn a_day_that_either_day_field_names_counts() {
        assert_eq!(next("0 0 13 * Fri", "2026-11-10T00:00"), "2026-11-13T00:00:00");
        assert_eq!(next("0 0 13 * Fri", "2026-11-13T00:00"), "2026-11-20T00:00:00");
    }

    #[test]
    fn what_other_crons_do_not_read_is_refused() {
        for (text, words) in [
            ("0 30 6 * * Mon-Fri", "has 6 fields"),
            ("@daily", "has 1 fields"),
            ("", "has 0 fields"),
            ("0 0 L * *", "day of month is not to be read: \"L\""),
            ("0 0 * * 5#2", "day of week is not"),
            ("0 0 ? * *", "day of month is not"),
            ("0 0 * * +Mon", "day of week is not"),
            ("Mon 0 * * *", "minute is not"),
            ("0 0 * * Monday", "day of week is not"),
            ("5/10 * * * *", "minute is not"),
            ("0, * * * *", "minute is not"),
            (
                "60 * * * *",
                "minute has a value out of its range, or a range that runs backwards: \"60\"",
            ),
            ("0 0 0 * *", "day of month has a value"),
            ("0 0 * 13 *", "month has a value"),
            ("0 0 * * Fri-Mon", "day of week has a value"),
            ("*/0 * * * *", "minute has a value"),
            ("0 0 30 2 *", "no day of any year matches"),
            ("0 0 31 4,6,9,11 *", "no day of any year matches"),
        ] {
            assert!(error(text).contains(words), "{text}: {}", error(text));
        }
        assert!(Cron::parse("0 0 30 2 Mon").is_ok(), "Mondays of February match");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-*/, 0-9A-Za-z#?@]{0,24}") {
            let _ = Cron::parse(&text);
        }
    }
}
