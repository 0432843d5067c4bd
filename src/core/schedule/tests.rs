//! Windows held against a model that knows nothing of cron crates, offsets or jumps: it walks over two years minute by
//! minute and only looks at what the clock on the wall shows.
//!
//! - A wall clock begins a window when it is shown, or passed over, for the first time.
//! - A window ends when no later moment shows a wall clock before its end.

use std::{collections::BTreeSet, time::Duration};

use jiff::{
    Timestamp,
    civil::{Date, date},
};

use super::{Change, Next, Schedules, Starts, Zone, entry::Calendar, entry::Entry};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60;
/// No zone changes its offset between these minutes of UTC.
const QUARTER: i64 = 15;
/// Two years, after two months in which windows that reach into them begin.
const FIRST: Date = date(2025, 11, 1);
const COMPARED: (Date, Date) = (date(2026, 1, 1), date(2028, 1, 1));

/// What an expression means: minute of the day, day of the week (Sunday is 0), day of the month.
type Matches = fn(i64, i64, i8) -> bool;

const WEEKDAYS: std::ops::RangeInclusive<i64> = 1..=5;

/// Expression, minutes that a window lasts, and what the expression means.
const SPARSE: [(&str, i64, Matches); 7] = [
    ("30 6 * * Mon-Fri", 13 * 60 + 30, |minute, weekday, _| {
        minute == 390 && WEEKDAYS.contains(&weekday)
    }),
    ("30 2 * * *", 60, |minute, _, _| minute == 150),
    ("0 0 * * *", 5, |minute, _, _| minute == 0),
    ("45 1 * * *", 30, |minute, _, _| minute == 105),
    ("15 2,3 * * Sun", 45, |minute, weekday, _| {
        (minute == 135 || minute == 195) && weekday == 0
    }),
    ("0 22 * * Fri", 48 * 60, |minute, weekday, _| {
        minute == 1320 && weekday == 5
    }),
    ("0 1 1 * *", 31 * DAY, |minute, _, day| minute == 60 && day == 1),
];

/// Expressions with so many windows that they are compared around changes of the offset only.
const DENSE: [(&str, i64, Matches); 3] = [
    ("*/15 * * * *", 5, |minute, _, _| minute % 15 == 0),
    ("0 * * * *", 60, |minute, _, _| minute % 60 == 0),
    ("*/20 0-3 * * *", 25, |minute, _, _| {
        minute % 20 == 0 && minute < 240
    }),
];

/// What the wall of a zone shows, minute by minute.
struct Walls {
    /// The first minute since 1970.
    first: i64,
    /// Minutes since 1970-01-01T00:00 by the wall clock.
    shown: Vec<i64>,
    /// The least that is shown from each minute on.
    least_from: Vec<i64>,
}

impl Walls {
    fn of(zone: &Zone) -> Self {
        let minutes = |date: Date| minute_of(date.to_datetime(jiff::civil::Time::midnight()));
        let (first, last) = (minutes(FIRST), minutes(COMPARED.1) + 2 * DAY);
        let mut shown = Vec::new();
        for quarter in (first..last).step_by(15) {
            let wall = minute_of(zone.wall_at(Timestamp::from_second(quarter * MINUTE).unwrap()));
            shown.extend(wall..wall + QUARTER);
        }
        let mut lowest = i64::MAX;
        let mut least_from: Vec<i64> = shown
            .iter()
            .rev()
            .map(|wall| {
                lowest = lowest.min(*wall);
                lowest
            })
            .collect();
        least_from.reverse();
        Self {
            first,
            shown,
            least_from,
        }
    }

    /// The minutes, since 1970, from which on the offset is another.
    fn offset_changes(&self) -> Vec<i64> {
        let steps = self.shown.windows(2).zip(self.first + 1..);
        steps
            .filter_map(|(pair, minute)| (pair[1] != pair[0] + 1).then_some(minute))
            .collect()
    }

    /// The minutes at which windows of an expression begin to hold, or no longer do.
    fn toggles(&self, lasts: i64, matches: Matches, except: &BTreeSet<Date>) -> Vec<i64> {
        let (mut toggles, mut was_active) = (Vec::new(), false);
        let (mut highest, mut end) = (self.shown[0] - 1, i64::MIN);
        let mut today = (i64::MIN, 0, 0, false);
        for (position, wall) in self.shown.iter().enumerate() {
            for new in highest + 1..=*wall {
                let day = new.div_euclid(DAY);
                if day != today.0 {
                    let date = date(1970, 1, 1).saturating_add(jiff::Span::new().days(day));
                    let weekday = i64::from(date.weekday().to_sunday_zero_offset());
                    today = (day, weekday, date.day(), except.contains(&date));
                }
                let (_, weekday, of_month, excepted) = today;
                if !excepted && matches(new.rem_euclid(DAY), weekday, of_month) {
                    end = wall + lasts;
                }
            }
            highest = highest.max(*wall);
            let active = self.least_from[position] < end;
            if active != was_active {
                toggles.push(self.first + i64::try_from(position).unwrap());
            }
            was_active = active;
        }
        toggles
    }
}

fn minute_of(wall: jiff::civil::DateTime) -> i64 {
    wall.duration_since(date(1970, 1, 1).at(0, 0, 0, 0))
        .as_secs()
        .div_euclid(MINUTE)
}

fn schedule(expression: &str, lasts: i64, zone: &Zone, except: &BTreeSet<Date>) -> Schedules {
    let calendar = Calendar {
        starts: Starts::cron(expression).unwrap(),
        duration: Duration::from_secs(u64::try_from(lasts * MINUTE).unwrap()),
        zone: zone.clone(),
        except: except.clone(),
    };
    Schedules::new(vec![Entry::new("e", calendar, Some(1), None).unwrap()])
}

/// The changes after a moment and until another.
pub(super) fn changes_of(schedules: &Schedules, after: Timestamp, until: Timestamp) -> Vec<Change<'_>> {
    let mut walk = schedules.walk(after);
    let changes = std::iter::from_fn(|| match walk.next_change() {
        Next::Change(change) if change.at <= until => Some(change),
        Next::Change(_) | Next::NoneBefore(_) | Next::Never => None,
    });
    changes.collect()
}

/// The minutes after the first and up to the last at which other entries are active.
fn changes(schedules: &Schedules, (first, last): (i64, i64)) -> Vec<i64> {
    let moment = |minute: i64| Timestamp::from_second(minute * MINUTE).unwrap();
    changes_of(schedules, moment(first), moment(last))
        .iter()
        .map(|change| change.at.as_second() / MINUTE)
        .collect()
}

fn within(minutes: &[i64], (first, last): (i64, i64)) -> Vec<i64> {
    let within = minutes
        .iter()
        .filter(|minute| first < **minute && **minute <= last);
    within.copied().collect()
}

fn compare(zone: &str) {
    let zone = Zone::of(zone).unwrap();
    let walls = Walls::of(&zone);
    let minutes = |date: Date| minute_of(date.to_datetime(jiff::civil::Time::midnight()));
    let years = (minutes(COMPARED.0), minutes(COMPARED.1));
    let except: BTreeSet<Date> = [date(2026, 12, 25), date(2027, 3, 28)].into();
    for (expression, lasts, matches) in SPARSE {
        let schedules = schedule(expression, lasts, &zone, &except);
        let expected = within(&walls.toggles(lasts, matches, &except), years);
        let found = changes(&schedules, years);
        assert_eq!(found, expected, "{expression} in {}", zone.name());
    }
    for (expression, lasts, matches) in SPARSE.into_iter().chain(DENSE) {
        let schedules = schedule(expression, lasts, &zone, &except);
        let toggles = walls.toggles(lasts, matches, &except);
        for change in walls.offset_changes() {
            let around = (change - 3 * 60, change + 3 * 60);
            assert_eq!(
                changes(&schedules, around),
                within(&toggles, around),
                "{expression} in {} around {change}",
                zone.name()
            );
            // The search for changes skips minutes; whoever asks at one of them gets the same answer.
            for minute in around.0..around.1 {
                let moment = Timestamp::from_second(minute * MINUTE + 7).unwrap();
                let count = toggles.partition_point(|toggle| *toggle <= minute);
                assert_eq!(
                    !schedules.active(moment).is_empty(),
                    count % 2 == 1,
                    "{expression} in {} at {moment}",
                    zone.name()
                );
            }
        }
    }
}

/// A test for each zone, so that they run side by side.
macro_rules! windows_are_those_of_the_model {
    ($($test:ident: $zone:literal,)*) => {
        $(
            #[test]
            fn $test() {
                compare($zone);
            }
        )*
    };
}

windows_are_those_of_the_model! {
    minute_by_minute_in_berlin: "Europe/Berlin",
    minute_by_minute_in_new_york: "America/New_York",
    minute_by_minute_on_lord_howe: "Australia/Lord_Howe",
    minute_by_minute_in_cairo: "Africa/Cairo",
    minute_by_minute_in_casablanca: "Africa/Casablanca",
    minute_by_minute_in_santiago: "America/Santiago",
    minute_by_minute_in_kolkata: "Asia/Kolkata",
}
