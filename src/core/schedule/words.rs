//! Texts about schedules: what holds, until when, and what comes next. A moment is shown by the clock on the wall of
//! the entry's zone, with the zone's abbreviation: `Mon Nov 30 06:30 CET`.

use jiff::Timestamp;

use super::{
    Zone,
    bounds::Bounds,
    entry::Entry,
    schedules::{Change, Next, Schedules},
};

/// A moment by the clock on the wall of a zone: `Mon Nov 30 06:30 CET`.
pub fn moment(zone: &Zone, moment: Timestamp) -> String {
    zone.shown(moment).strftime("%a %b %d %H:%M %Z").to_string()
}

/// Names of entries: `business-hours, launch`; `base` without any.
pub fn names(active: &[&Entry]) -> String {
    let names: Vec<&str> = active.iter().map(|entry| entry.name.as_str()).collect();
    if names.is_empty() {
        "base".to_owned()
    } else {
        names.join(", ")
    }
}

/// The zone in which a change is shown: that of an entry that begins or ends there, else that of the first entry. `was`
/// are the entries that are active before.
pub fn zone_of<'a>(schedules: &'a Schedules, was: &[&Entry], change: &Change<'a>) -> Option<&'a Zone> {
    let differs = |entry: &&'a Entry| was.contains(entry) != change.active.contains(entry);
    schedules
        .entries()
        .find(differs)
        .or_else(|| schedules.entries().next())
        .map(Entry::zone)
}

/// When a change comes, by the clock on the wall of [`zone_of`].
pub fn when(schedules: &Schedules, was: &[&Entry], change: &Change<'_>) -> String {
    let zone = zone_of(schedules, was, change);
    zone.map_or_else(|| change.at.to_string(), |zone| moment(zone, change.at))
}

/// What holds at a moment, until when, and over which base: `minReplicas 8 by business-hours until Fri Dec 04 20:00 CET,
/// base 3`. Without an active entry, what comes next: `base 3 to 15 until Mon Nov 30 06:30 CET, then 8 to 15
/// (business-hours)`.
pub fn holds(schedules: &Schedules, base: Bounds, now: Timestamp) -> String {
    let (active, next) = schedules.now_and_next(now);
    let until = match &next {
        Next::Change(change) => format!(" until {}", when(schedules, &active, change)),
        Next::NoneBefore(at) => {
            let zone = schedules.entries().next().map(Entry::zone);
            let shown = zone.map_or_else(|| at.to_string(), |zone| moment(zone, *at));
            format!(" at least until {shown}")
        }
        Next::Never => String::new(),
    };
    if active.is_empty() {
        let then = match &next {
            Next::Change(change) => {
                let then = base.while_active(change.active.iter().copied());
                format!(", then {then} ({})", names(&change.active))
            }
            Next::NoneBefore(_) | Next::Never => String::new(),
        };
        return format!("base {base}{until}{then}");
    }
    let bounds = base.while_active(active.iter().copied());
    let by = names(&active);
    let (min, max) = (bounds.min != base.min, bounds.max != base.max);
    let (what, was) = match (min, max) {
        (true, false) => (format!("minReplicas {}", bounds.min), base.min.to_string()),
        (false, true) => (format!("maxReplicas {}", bounds.max), base.max.to_string()),
        _ => (
            format!("minReplicas {} and maxReplicas {}", bounds.min, bounds.max),
            base.to_string(),
        ),
    };
    format!("{what} by {by}{until}, base {was}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        reconcile::testing::{resource, worker},
        spec::rules::validate,
    };

    #[test]
    fn what_holds_is_said_with_its_end_and_the_base() {
        let mut worker = worker();
        worker["minReplicas"] = json!(3);
        worker["maxReplicas"] = json!(15);
        worker["schedules"] = json!([
            {"name": "business-hours", "schedule": "30 6 * * Mon-Fri", "duration": "13h30m", "timeZone": "Europe/Berlin", "minReplicas": 8},
            {"name": "launch", "at": "2026-12-01T08:00", "duration": "6h", "timeZone": "America/New_York", "minReplicas": 20, "maxReplicas": 40},
        ]);
        let scaling = validate(&resource(json!({ "workloads": [worker] })))
            .scaling
            .unwrap();
        let workload = &scaling.workloads[0];
        for (now, words) in [
            (
                "2026-12-04T12:00:00Z",
                "minReplicas 8 by business-hours until Fri Dec 04 20:00 CET, base 3",
            ),
            (
                "2026-12-04T20:00:00Z",
                "base 3 to 15 until Mon Dec 07 06:30 CET, then 8 to 15 (business-hours)",
            ),
            // 14:00 in New York is 20:00 in Berlin: both end there, and the first entry's zone is shown.
            (
                "2026-12-01T18:00:00Z",
                "minReplicas 20 and maxReplicas 40 by business-hours, launch until Tue Dec 01 20:00 CET, base 3 to 15",
            ),
        ] {
            let found = holds(&workload.schedules, workload.base, now.parse().unwrap());
            assert_eq!(found, words);
        }
    }
}
