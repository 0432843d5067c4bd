//! What the status says of a workload's schedule.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    schedule::{Bounds, Entry, Next, words},
    spec::model::Workload,
};
use vas_api::v1alpha1::{NextChange, ScheduleStatus};

/// Longest text of the printer column, in characters.
const LONGEST: usize = 256;

/// A change that is to come, for the printer column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coming {
    at: Timestamp,
    text: String,
}

/// The state of a schedule as of `now`, at which the HPA has these bounds, and the change that comes next; `None` for a
/// workload without one.
pub(super) fn of(
    workload: &Workload,
    bounds: Bounds,
    now: Timestamp,
) -> Option<(ScheduleStatus, Option<Coming>)> {
    if workload.schedules.is_empty() || !workload.has_hpa() {
        return None;
    }
    let (active, next) = workload.schedules.now_and_next(now);
    let next = match next {
        Next::Change(change) => Some(change),
        Next::NoneBefore(_) | Next::Never => None,
    };
    let next = next.map(|change| {
        let bounds = workload.base.while_active(change.active.iter().copied());
        let when = words::when(&workload.schedules, &active, &change);
        let coming = Coming {
            at: change.at,
            text: coming(&when, workload, bounds, &change.active),
        };
        let next = NextChange {
            time: Time(change.at),
            active: names(&change.active),
            min_replicas: bounds.min,
            max_replicas: bounds.max,
        };
        (next, coming)
    });
    let (next_change, coming) = next.unzip();
    let status = ScheduleStatus {
        active: names(&active),
        min_replicas: bounds.min,
        max_replicas: bounds.max,
        next_change,
    };
    Some((status, coming))
}

/// The text of the first of these changes.
pub(super) fn first<'a>(coming: impl Iterator<Item = &'a Coming>) -> Option<String> {
    let first = coming.min_by_key(|coming| coming.at)?;
    Some(first.text.chars().take(LONGEST).collect())
}

/// Such as `Mon Nov 30 06:30 CET: api-gateway 8 to 15 (business-hours)`.
fn coming(when: &str, workload: &Workload, bounds: Bounds, active: &[&Entry]) -> String {
    format!("{when}: {} {bounds} ({})", workload.name, words::names(active))
}

fn names(active: &[&Entry]) -> Option<Vec<String>> {
    let names: Vec<String> = active.iter().map(|entry| entry.name.clone()).collect();
    (!names.is_empty()).then_some(names)
}
