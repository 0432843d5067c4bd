//! Rules of a workload's schedule: each entry says when and what, and leaves the bounds in order.

use std::{collections::BTreeSet, time::Duration};

use jiff::civil::Date;

use super::findings::Scope;
use crate::{
    k8s::duration,
    schedule::{Bounds, Entry, Schedules, Starts, Zone, entry::Calendar},
    spec::field_path::FieldPath,
};
use vas_api::v1alpha1 as api;

/// Shortest window: the operator, the HPA's next sync and new pods take minutes.
const SHORTEST: Duration = Duration::from_mins(5);
/// Longest window: 31 days.
const LONGEST: Duration = Duration::from_hours(744);
/// Most entries of a workload in one environment.
const MOST: usize = 16;
/// Most dates of an entry on which no window begins.
const MOST_DATES: usize = 100;

/// Parses all entries and returns the enabled ones; `None` if one does not parse. A disabled entry is parsed too,
/// because another environment may enable it. `base` are the bounds of the workload, `None` if they are not in order.
pub(super) fn check(
    entries: &[api::Schedule],
    base: Option<Bounds>,
    workload: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<Schedules> {
    let list = workload.field("schedules");
    if entries.len() > MOST {
        scope.refuse(
            &list,
            format_args!(
                "has {} entries in this environment; at most {MOST}",
                entries.len()
            ),
        );
    }
    let mut enabled = Vec::new();
    let mut complete = true;
    for entry in entries {
        let path = list.named(&entry.name);
        let parsed = parse(entry, &path, scope);
        complete &= parsed.is_some();
        if entry.enabled.unwrap_or(true) {
            if let (Some(base), Some(parsed)) = (base, &parsed) {
                check_bounds(parsed, base, &path, workload, scope);
            }
            enabled.extend(parsed);
        }
    }
    complete.then(|| Schedules::new(enabled))
}

fn parse(entry: &api::Schedule, path: &FieldPath, scope: &mut Scope<'_>) -> Option<Entry> {
    let name = &entry.name;
    // All parts are parsed before the first that is wrong ends it, so that all mistakes are reported together.
    let starts = starts(entry, path, scope);
    let duration = duration(entry, path, scope);
    let zone = zone(entry, path, scope);
    let except = except(entry, path, scope);
    if entry.min_replicas.is_none() && entry.max_replicas.is_none() {
        scope.refuse(
            path,
            format_args!(
                "entry {name} needs minReplicas, maxReplicas or both: without them it changes nothing"
            ),
        );
        return None;
    }
    let calendar = Calendar {
        starts: starts?,
        duration: duration?,
        zone: zone?,
        except: except?,
    };
    match Entry::new(name, calendar, entry.min_replicas, entry.max_replicas) {
        Ok(entry) => Some(entry),
        Err(error) => {
            scope.refuse(&path.field("at"), format_args!("entry {name}: {error}"));
            None
        }
    }
}

fn starts(entry: &api::Schedule, path: &FieldPath, scope: &mut Scope<'_>) -> Option<Starts> {
    let (field, starts) = match (&entry.schedule, &entry.at) {
        (Some(text), None) => ("schedule", Starts::cron(text)),
        (None, Some(text)) => ("at", Starts::at(text)),
        (Some(_), Some(_)) | (None, None) => {
            scope.refuse(
                path,
                format_args!(
                    "entry {} needs exactly one of schedule (\"30 6 * * Mon-Fri\") and at (\"2026-12-01T08:00\")",
                    entry.name
                ),
            );
            return None;
        }
    };
    starts
        .map_err(|error| scope.refuse(&path.field(field), format_args!("entry {}: {error}", entry.name)))
        .ok()
}

fn duration(entry: &api::Schedule, path: &FieldPath, scope: &mut Scope<'_>) -> Option<Duration> {
    let (name, path) = (&entry.name, path.field("duration"));
    let Some(text) = &entry.duration else {
        scope.refuse(&path, format_args!("entry {name} needs a duration, 5m to 31d"));
        return None;
    };
    match duration::parse(text) {
        Ok(duration) if (SHORTEST..=LONGEST).contains(&duration) => Some(duration),
        Ok(_) => {
            scope.refuse(
                &path,
                format_args!("entry {name}: a window lasts at least 5m and at most 31d, which is 744h"),
            );
            None
        }
        Err(error) => {
            scope.refuse(&path, format_args!("entry {name}: {error}"));
            None
        }
    }
}

fn zone(entry: &api::Schedule, path: &FieldPath, scope: &mut Scope<'_>) -> Option<Zone> {
    let (name, path) = (&entry.name, path.field("timeZone"));
    let Some(text) = &entry.time_zone else {
        scope.refuse(
            &path,
            format_args!(
                "entry {name} needs a timeZone, such as Europe/Berlin or UTC; there is no default, because that of a cluster is seldom that of its users"
            ),
        );
        return None;
    };
    Zone::of(text)
        .map_err(|error| scope.refuse(&path, format_args!("entry {name}: {error}")))
        .ok()
}

fn except(entry: &api::Schedule, path: &FieldPath, scope: &mut Scope<'_>) -> Option<BTreeSet<Date>> {
    let (name, path) = (&entry.name, path.field("except"));
    let texts = entry.except.as_deref().unwrap_or_default();
    if texts.len() > MOST_DATES {
        scope.refuse(
            &path,
            format_args!("entry {name} has {} dates; at most {MOST_DATES}", texts.len()),
        );
        return None;
    }
    let mut dates = BTreeSet::new();
    let mut complete = true;
    for (position, text) in texts.iter().enumerate() {
        let date: Option<Date> = text.parse().ok().filter(|date: &Date| date.to_string() == *text);
        if date.is_none() {
            scope.refuse(
                &path.index(position),
                format_args!("entry {name}: no such date; write it as 2026-12-25"),
            );
        }
        complete &= date.is_some();
        dates.extend(date);
    }
    complete.then_some(dates)
}

/// Checks an enabled entry against the bounds of the workload.
fn check_bounds(entry: &Entry, base: Bounds, path: &FieldPath, workload: &FieldPath, scope: &mut Scope<'_>) {
    let (name, pair) = (&entry.name, base.pair(entry));
    let (min, max) = (path.field("minReplicas"), path.field("maxReplicas"));
    if pair.min > pair.max {
        // A bound that the entry leaves out is the workload's, and may be what an environment has changed.
        let (min, max, fix) = match (entry.min, entry.max) {
            (Some(_), Some(_)) => (min, max, "lower minReplicas or raise maxReplicas"),
            (Some(_), None) => (
                min,
                workload.field("maxReplicas"),
                "write maxReplicas in the entry too: it never rises by itself",
            ),
            (None, _) => (
                workload.field("minReplicas"),
                max,
                "write minReplicas in the entry too",
            ),
        };
        scope.refuse_any(
            &[&min, &max],
            format_args!(
                "entry {name} has minReplicas {} above maxReplicas {}; {fix}",
                pair.min, pair.max
            ),
        );
    } else if pair == base {
        scope.warn(
            path,
            format_args!("entry {name} has the bounds of the workload, {base}: it changes nothing"),
        );
    } else if pair.max < base.max {
        scope.warn(
            &max,
            format_args!(
                "when a window of entry {name} begins, maxReplicas falls from {} to {}: the HPA removes the pods above it at once, whatever the policies; to release pods by them, lower minReplicas alone",
                base.max, pair.max
            ),
        );
    }
}

#[cfg(test)]
mod tests;
