//! Schedules: windows of the calendar in which a workload has other bounds.
//!
//! ```text
//! text --cron, zone--> Starts, Zone --entry--> Entry: its windows --schedules--> which are active, until when
//!   --bounds--> the bounds of a moment
//! ```
//!
//! An entry's windows begin where a cron expression or one date says, by the clock on the wall of its time zone.
//! [`zone`] alone turns a wall clock into a moment, [`bounds`] alone turns active entries into bounds. The time is an
//! argument everywhere.
//!
//! Invariant: no result depends on the machine. The time zones are those that are built into the program, so its image
//! needs no `/usr/share/zoneinfo`, and every program of one version has the same rules.

pub mod bounds;
pub mod cron;
pub mod entry;
pub mod schedules;
mod starts;
#[cfg(test)]
mod tests;
pub mod timetable;
pub mod words;
pub mod zone;

pub use bounds::Bounds;
pub use entry::{Entry, EntryError};
pub use schedules::{Change, Next, Schedules, Walk};
pub use starts::{Starts, StartsError};
pub use timetable::Timetable;
pub use zone::{Zone, ZoneError};
