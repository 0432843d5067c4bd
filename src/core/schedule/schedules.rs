//! The entries of one workload together: which are active, and when that changes.
//!
//! Invariant: whatever the entries are, a search for a change ends after a bounded number of windows, and says where it
//! ended.

use jiff::Timestamp;

use super::{
    bounds::Bounds,
    entry::{Entry, Stand},
};

/// Most windows that the search for one change looks at, of all entries together: 16 entries, each followed over as many
/// windows as one may join, and as many again.
const MOST_WINDOWS: usize = 1024;

/// The enabled entries of a workload, in the order of the spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedules(Vec<Entry>);

/// A moment at which other entries become active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The moment.
    pub at: Timestamp,
    /// The entries that are active from then on.
    pub active: Vec<&'a Entry>,
}

/// What comes after the entries that are active at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// Other entries become active.
    Change(Change<'a>),
    /// Nothing changes before this moment; what comes later was not looked at, because windows follow each other without
    /// a gap for so long.
    NoneBefore(Timestamp),
    /// The same entries are active for ever.
    Never,
}

impl Schedules {
    /// The schedule with these entries.
    pub fn new(entries: Vec<Entry>) -> Self {
        Self(entries)
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All entries, in the order of the spec.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    /// The entries that are active at a moment, in the order of the spec.
    pub fn active(&self, moment: Timestamp) -> Vec<&Entry> {
        self.0.iter().filter(|entry| entry.is_active(moment)).collect()
    }

    /// The bounds at a moment, over this base.
    pub fn bounds(&self, base: Bounds, moment: Timestamp) -> Bounds {
        base.while_active(self.active(moment))
    }

    /// The entries that are active at a moment, and what comes next.
    pub fn now_and_next(&self, moment: Timestamp) -> (Vec<&Entry>, Next<'_>) {
        let mut walk = self.walk(moment);
        (walk.active(), walk.next_change())
    }

    /// A walk over the changes from a moment on.
    pub fn walk(&self, from: Timestamp) -> Walk<'_> {
        let entries = self.0.as_slice();
        let mut windows = MOST_WINDOWS;
        let stands = entries.iter().map(|entry| entry.stand(from, &mut windows));
        Walk {
            stands: stands.collect(),
            entries,
            windows,
        }
    }
}

/// A walk from change to change. It keeps how each entry stands, so that an entry is asked again only at its own
/// boundaries, not at those of the others.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    entries: &'a [Entry],
    stands: Vec<Stand>,
    /// Windows that may still be looked at for the next change.
    windows: usize,
}

impl<'a> Walk<'a> {
    /// The entries that are active where the walk stands, in the order of the spec.
    pub fn active(&self) -> Vec<&'a Entry> {
        let entries = self.entries.iter().zip(&self.stands);
        entries
            .filter_map(|(entry, stand)| stand.active.then_some(entry))
            .collect()
    }

    /// The first moment after this one at which an entry begins or ends; `None` if none ever does again. Where an
    /// entry's windows follow each other without a gap, it is a moment at which that has to be asked again.
    pub fn next_boundary(&self) -> Option<Timestamp> {
        self.stands.iter().filter_map(|stand| stand.until).min()
    }

    /// Goes on to the next change. After [`Next::NoneBefore`] the walk goes on there when it is asked again.
    pub fn next_change(&mut self) -> Next<'a> {
        let before = self.active();
        while let Some(at) = self.next_boundary() {
            if self.windows == 0 {
                self.windows = MOST_WINDOWS;
                return Next::NoneBefore(at);
            }
            for (entry, stand) in self.entries.iter().zip(&mut self.stands) {
                if stand.until == Some(at) {
                    *stand = entry.stand(at, &mut self.windows);
                }
            }
            let active = self.active();
            if active != before {
                self.windows = MOST_WINDOWS;
                return Next::Change(Change { at, active });
            }
        }
        Next::Never
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::schedule::{Starts, Zone, entry::Calendar, tests::changes_of};

    fn entry(name: &str, starts: Starts, hours: u64, except: &[&str]) -> Entry {
        let calendar = Calendar {
            starts,
            duration: Duration::from_secs(hours * 3600),
            zone: Zone::of("Europe/Berlin").unwrap(),
            except: except.iter().map(|date| date.parse().unwrap()).collect(),
        };
        Entry::new(name, calendar, Some(5), None).unwrap()
    }

    fn cron(name: &str, text: &str, hours: u64) -> Entry {
        entry(name, Starts::cron(text).unwrap(), hours, &[])
    }

    fn changes(schedules: &Schedules, after: &str, until: &str) -> Vec<String> {
        let zone = Zone::of("Europe/Berlin").unwrap();
        changes_of(schedules, after.parse().unwrap(), until.parse().unwrap())
            .iter()
            .map(|change| {
                let names: Vec<&str> = change.active.iter().map(|entry| entry.name.as_str()).collect();
                format!(
                    "{} {}",
                    zone.shown(change.at).strftime("%a %d %H:%M"),
                    names.join("+")
                )
            })
            .collect()
    }

    #[test]
    fn a_handover_is_one_change_and_windows_without_a_gap_are_none() {
        let schedules = Schedules::new(vec![
            cron("day", "0 8 * * *", 12),
            cron("night", "0 20 * * *", 12),
        ]);
        let found = changes(&schedules, "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z");
        assert_eq!(found, ["Mon 23 08:00 day", "Mon 23 20:00 night"]);
        let joined = Schedules::new(vec![cron("week", "0 0 * * Mon-Fri", 24)]);
        let found = changes(&joined, "2026-11-23T12:00:00Z", "2026-12-01T00:00:00Z");
        assert_eq!(found, ["Sat 28 00:00 ", "Mon 30 00:00 week"]);
    }

    #[test]
    fn no_window_begins_on_a_date_of_except_and_one_that_reaches_into_it_goes_on() {
        let starts = Starts::cron("0 20 * * *").unwrap();
        let schedules = Schedules::new(vec![entry("night", starts, 8, &["2026-12-25", "2026-12-26"])]);
        let found = changes(&schedules, "2026-12-24T12:00:00Z", "2026-12-27T22:00:00Z");
        assert_eq!(
            found,
            ["Thu 24 20:00 night", "Fri 25 04:00 ", "Sun 27 20:00 night"]
        );
    }

    #[test]
    fn one_date_begins_once_and_is_then_done() {
        let starts = Starts::at("2026-12-01T08:00").unwrap();
        let schedules = Schedules::new(vec![entry("launch", starts, 6, &[])]);
        let found = changes(&schedules, "2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z");
        assert_eq!(found, ["Tue 01 08:00 launch", "Tue 01 14:00 "]);
        let over = "2026-12-01T13:00:00Z".parse().unwrap();
        assert_eq!(schedules.walk(over).next_boundary(), None);
        assert_eq!(schedules.now_and_next(over), (Vec::new(), Next::Never));
    }

    #[test]
    fn of_an_entry_that_is_always_active_it_is_said_how_far_the_search_went() {
        let now: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        let hours = |at: Timestamp| at.duration_since(now).as_hours();
        let always = Schedules::new(vec![cron("always", "*/5 * * * *", 1)]);
        let (active, next) = always.now_and_next(now);
        assert_eq!(active.len(), 1);
        let Next::NoneBefore(at) = next else {
            panic!("{next:?}");
        };
        assert!((1000..1030).contains(&hours(at)), "{at}");
        assert!((30..40).contains(&hours(always.walk(now).next_boundary().unwrap())));
        let mut walk = always.walk(now);
        walk.next_change();
        let Next::NoneBefore(later) = walk.next_change() else {
            panic!("the walk goes on");
        };
        assert!(hours(later) > hours(at) + 1000, "{later}");
    }

    #[test]
    fn a_change_behind_many_windows_of_another_entry_is_found() {
        let always = cron("always", "*/5 * * * *", 1);
        let schedules = Schedules::new(vec![always, cron("month", "0 8 20 12 *", 2)]);
        let found = changes(&schedules, "2026-11-23T00:00:00Z", "2027-11-01T00:00:00Z");
        assert_eq!(found, ["Sun 20 08:00 always+month", "Sun 20 10:00 always"]);
    }

    /// Sixteen entries without a gap, whose boundaries all differ: what costs most.
    #[test]
    fn the_most_costly_entries_end_the_search_after_the_windows_that_it_may_look_at() {
        let entries = (0..16).map(|minute| cron(&minute.to_string(), &format!("{minute}-59/16 * * * *"), 1));
        let schedules = Schedules::new(entries.collect());
        let mut walk = schedules.walk("2026-11-23T00:00:00Z".parse().unwrap());
        assert!(MOST_WINDOWS - walk.windows <= 16 * 33, "{}", walk.windows);
        assert!(matches!(walk.next_change(), Next::NoneBefore(_)));
    }
}
