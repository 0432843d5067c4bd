//! The changes of a workload's bounds over some days, as `vas schedule` shows them.

use jiff::Timestamp;
use serde::Serialize;

use super::{Bounds, Change, Entry, Next, Schedules, Walk, Zone, words};

/// Most changes that are listed of one workload.
const MOST: usize = 1000;
/// Most searches for one change. Each looks at a thousand windows, so that an entry with windows of five minutes without a
/// gap is followed over more than two weeks.
const MOST_LOOKS: usize = 5;

/// What the schedule of one workload does over some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timetable {
    /// Name of the workload.
    pub workload: String,
    /// The bounds while no entry is active.
    pub base: Bounds,
    /// Whether the workload is suspended: its HPA then has the widest bounds all the time.
    pub suspended: bool,
    /// What holds at the beginning, and each change.
    pub rows: Vec<Row>,
    /// Whether there may be more changes than are listed: beyond the thousandth, or behind so many windows without a gap
    /// that they were not looked at.
    pub more: bool,
}

/// A moment from which on these bounds hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The moment.
    pub time: Timestamp,
    /// The moment by the clock on the wall of the zone: `Mon 2026-11-30 06:30`.
    pub local: String,
    /// The offset of the zone from UTC: `+01:00`.
    pub offset: String,
    /// The zone: that of the entry that begins or ends.
    pub time_zone: String,
    /// Fewest replicas.
    pub min_replicas: i32,
    /// Most replicas.
    pub max_replicas: i32,
    /// Names of the active entries.
    pub active: Vec<String>,
}

impl Timetable {
    /// What holds at `from`, and the changes until `until`; `None` for a workload without a schedule.
    pub fn of(workload: &crate::spec::model::Workload, from: Timestamp, until: Timestamp) -> Option<Self> {
        let schedules = &workload.schedules;
        if schedules.is_empty() {
            return None;
        }
        let mut walk = schedules.walk(from);
        let mut change = Change {
            at: from,
            active: walk.active(),
        };
        let mut rows = Vec::new();
        let mut was = change.active.clone();
        let more = loop {
            rows.extend(row(schedules, workload.base, &was, &change));
            was = change.active;
            change = match next(&mut walk, until) {
                Next::Change(change) if rows.len() <= MOST => change,
                Next::Never => break false,
                Next::Change(_) | Next::NoneBefore(_) => break true,
            };
        };
        Some(Self {
            workload: workload.name.clone(),
            base: workload.base,
            suspended: workload.suspended,
            rows,
            more,
        })
    }
}

/// The next change until a moment, in at most [`MOST_LOOKS`] searches.
fn next<'a>(walk: &mut Walk<'a>, until: Timestamp) -> Next<'a> {
    let mut next = walk.next_change();
    for _ in 1..MOST_LOOKS {
        match next {
            Next::NoneBefore(at) if at <= until => next = walk.next_change(),
            Next::Change(_) | Next::NoneBefore(_) | Next::Never => break,
        }
    }
    match next {
        Next::Change(change) if change.at <= until => Next::Change(change),
        Next::NoneBefore(at) if at <= until => Next::NoneBefore(at),
        Next::Change(_) | Next::NoneBefore(_) | Next::Never => Next::Never,
    }
}

fn row(schedules: &Schedules, base: Bounds, was: &[&Entry], change: &Change<'_>) -> Option<Row> {
    let zone: &Zone = words::zone_of(schedules, was, change)?;
    let bounds = base.while_active(change.active.iter().copied());
    let shown = zone.shown(change.at);
    Some(Row {
        time: change.at,
        local: shown.strftime("%a %Y-%m-%d %H:%M").to_string(),
        offset: shown.strftime("%:z").to_string(),
        time_zone: zone.name().to_owned(),
        min_replicas: bounds.min,
        max_replicas: bounds.max,
        active: change.active.iter().map(|entry| entry.name.clone()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::reconcile::testing::{resource, worker};
    use crate::spec::rules::validate;

    #[test]
    fn each_change_has_its_local_time_with_the_offset_of_that_day() {
        let mut worker = worker();
        worker["schedules"] = json!([
            {"name": "night", "schedule": "30 2 * * *", "duration": "1h", "timeZone": "Europe/Berlin", "minReplicas": 1},
        ]);
        let scaling = validate(&resource(json!({ "workloads": [worker] })))
            .scaling
            .unwrap();
        let timetable = Timetable::of(
            &scaling.workloads[0],
            "2026-10-24T12:00:00Z".parse().unwrap(),
            "2026-10-26T12:00:00Z".parse().unwrap(),
        );
        let rows: Vec<String> = timetable
            .unwrap()
            .rows
            .iter()
            .map(|row| {
                format!(
                    "{} {} {}-{} {}",
                    row.local,
                    row.offset,
                    row.min_replicas,
                    row.max_replicas,
                    row.active.join("+")
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                "Sat 2026-10-24 14:00 +02:00 2-5 ",
                "Sun 2026-10-25 02:30 +02:00 1-5 night",
                "Sun 2026-10-25 03:30 +01:00 2-5 ",
                "Mon 2026-10-26 02:30 +01:00 1-5 night",
                "Mon 2026-10-26 03:30 +01:00 2-5 ",
            ]
        );
        let plain = validate(&resource(
            json!({ "workloads": [crate::reconcile::testing::worker()] }),
        ));
        let plain = plain.scaling.unwrap();
        assert_eq!(
            Timetable::of(&plain.workloads[0], Timestamp::UNIX_EPOCH, Timestamp::MAX),
            None
        );
    }
}
