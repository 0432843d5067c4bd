//! One entry of a schedule: its windows, and the bounds that it asks for in them.
//!
//! A window begins at a start and ends at what the wall clock shows then plus the duration. Example: 22:00 for 8h ends
//! at 06:00 also in the night in which the clock goes back, nine hours later.
//!
//! Invariant: a window that begins later does not end earlier, so only the last one that has begun tells whether the
//! entry is active. Every window ends after it begins.

use std::{collections::BTreeSet, time::Duration};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
};

use super::{starts::Starts, zone::Zone};

/// Most windows without a gap between them that are followed to find the end of the last. An entry with `*/5 * * * *` and
/// windows of an hour is asked again after 33 hours, for example.
const MOST_JOINED: usize = 32;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The last second of a day.
const LAST_SECOND: Time = Time::constant(23, 59, 59, 0);

/// One entry of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name, unique in the workload.
    pub name: String,
    /// `minReplicas` in its windows; `None` for that of the base.
    pub min: Option<i32>,
    /// `maxReplicas` in its windows; `None` for that of the base.
    pub max: Option<i32>,
    starts: Starts,
    duration: SignedDuration,
    zone: Zone,
    /// Local dates on which no window begins.
    except: BTreeSet<Date>,
}

/// When an entry's windows are.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// When windows begin.
    pub starts: Starts,
    /// How long a window is, by the wall clock; more than zero.
    pub duration: Duration,
    /// The zone of the wall clock.
    pub zone: Zone,
    /// Local dates on which no window begins.
    pub except: BTreeSet<Date>,
}

/// Why there is no such entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A window would be beyond what can be computed.
    #[error("the window ends beyond the year 9999")]
    Beyond,
}

/// One window: from a moment to the moment before which it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) begins: Timestamp,
    pub(super) ends: Timestamp,
}

/// Whether an entry is active at a moment, and until when that is known to stay so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    /// Whether a window holds the moment.
    pub(super) active: bool,
    /// When to ask again; `None` where no window ever begins again. Where more windows than [`MOST_JOINED`] follow each
    /// other without a gap, the entry may be active from then on as before.
    pub(super) until: Option<Timestamp>,
}

impl Entry {
    /// An entry with these windows and bounds.
    ///
    /// # Errors
    /// When a single window ends beyond the year 9999.
    pub fn new(
        name: &str,
        calendar: Calendar,
        min: Option<i32>,
        max: Option<i32>,
    ) -> Result<Self, EntryError> {
        let entry = Self {
            name: name.to_owned(),
            min,
            max,
            starts: calendar.starts,
            duration: SignedDuration::try_from(calendar.duration).map_err(|_| EntryError::Beyond)?,
            zone: calendar.zone,
            except: calendar.except,
        };
        match entry.starts {
            Starts::At(wall) if entry.window(wall).is_none() => Err(EntryError::Beyond),
            Starts::At(_) | Starts::Cron(_) => Ok(entry),
        }
    }

    /// The zone of the wall clock.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether a window holds a moment. At the moment of its end it does not hold it any more.
    pub fn is_active(&self, moment: Timestamp) -> bool {
        self.begun_by(moment).is_some_and(|window| moment < window.ends)
    }

    /// How the entry stands at a moment. Takes one from `windows` for each window that it looks at, and looks at no
    /// further one when none is left.
    pub(super) fn stand(&self, moment: Timestamp, windows: &mut usize) -> Stand {
        *windows = windows.saturating_sub(1);
        match self.begun_by(moment) {
            Some(window) if moment < window.ends => Stand {
                active: true,
                until: Some(self.joined_end(window, windows)),
            },
            _ => Stand {
                active: false,
                until: self.next_begin(moment),
            },
        }
    }

    /// The first moment after this one at which a window begins.
    pub fn next_begin(&self, moment: Timestamp) -> Option<Timestamp> {
        let mut wall = self.zone.wall_at(moment);
        // While the clock repeats an hour, the starts in it have been; they are passed over one by one.
        loop {
            wall = self.starts.after(wall)?;
            if self.except.contains(&wall.date()) {
                wall = wall.date().to_datetime(LAST_SECOND);
                continue;
            }
            let begins = self.zone.begins(wall)?;
            if begins > moment {
                return Some(begins);
            }
        }
    }

    /// The end of a window and of those that begin before it is over, at most [`MOST_JOINED`] and at most `windows`.
    fn joined_end(&self, window: Window, windows: &mut usize) -> Timestamp {
        let mut end = window.ends;
        for _ in 0..MOST_JOINED.min(*windows) {
            *windows = windows.saturating_sub(1);
            match self.begun_by(end) {
                Some(next) if next.ends > end => end = next.ends,
                _ => break,
            }
        }
        end
    }

    /// The last window that has begun at a moment and may not be over yet.
    fn begun_by(&self, moment: Timestamp) -> Option<Window> {
        let mut wall = self.zone.latest_begun(moment);
        // No offset changes by as much as a day.
        let earliest = wall.saturating_sub(self.duration.saturating_add(DAY));
        loop {
            wall = self.starts.at_or_before(wall)?;
            if wall < earliest {
                return None;
            }
            if self.except.contains(&wall.date()) {
                wall = wall.date().yesterday().ok()?.to_datetime(LAST_SECOND);
                continue;
            }
            let window = self.window(wall)?;
            if window.begins <= moment {
                return Some(window);
            }
            wall = wall.checked_sub(SignedDuration::from_secs(1)).ok()?;
        }
    }

    /// The window that begins at a wall clock. It ends by what the clock shows at its start, so that one that begins
    /// at a jump is not shorter for it.
    fn window(&self, wall: jiff::civil::DateTime) -> Option<Window> {
        let begins = self.zone.begins(wall)?;
        let end = self.zone.wall_at(begins).checked_add(self.duration).ok()?;
        Some(Window {
            begins,
            ends: self.zone.ends(end)?,
        })
    }
}
