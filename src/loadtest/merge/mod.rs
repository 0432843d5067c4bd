//! Merges several runs into one, such as those of several machines at the same time. Counts are added,
//! histograms are merged without loss, and seconds are added by time of day. The cluster's observations are
//! those of the first run that has some.

mod seconds;
mod watched;

use std::time::Duration;

pub(crate) use self::seconds::beside;
use self::{seconds::side_by_side, watched::later};
use super::{
    judge::{checks, grade, verdict},
    model::{
        check::Check,
        measured::{End, Measured, WebSockets},
    },
    report::{Report, Verdict, json::Stored},
    scenario::model::{Threshold, objective},
};

/// Why runs cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is no run.
    #[error("there is no run to merge")]
    None,
    /// Users and requests per second cannot be added.
    #[error("one run is in {0}, another in {1}: only runs of the same kind are merged")]
    Unit(String, String),
    /// One run contains another, whose requests would count twice.
    #[error("run {1} has what run {0} has too: each run counts once")]
    Twice(usize, usize),
    /// The runs did not send at the same time.
    #[error(
        "one run began at {0}, another at {1}, when no other was sending: only runs of the same time are merged"
    )]
    Apart(jiff::Timestamp, jiff::Timestamp),
}

/// Merges the runs into one, and judges it by the thresholds of all of them.
///
/// # Errors
/// When there is no run, or the runs cannot be added.
pub fn merge(runs: Vec<Stored>) -> Result<Report, MergeError> {
    twice(&runs)?;
    let names = all_of(runs.iter().map(|run| &run.name));
    let targets = all_of(runs.iter().map(|run| &run.target));
    let mut runs = runs.into_iter();
    let mut all = runs.next().ok_or(MergeError::None)?;
    (all.name, all.target) = (names, targets);
    for run in runs {
        if run.load_unit != all.load_unit {
            return Err(MergeError::Unit(all.load_unit, run.load_unit));
        }
        for check in run.checks {
            let known = all.checks.iter_mut().find(|known| known.name == check.name);
            match known {
                // Of two outcomes of one check the failed one is kept.
                Some(known) if known.passed => *known = check,
                Some(_) => {}
                None => all.checks.push(check),
            }
        }
        all.doubts.extend(run.doubts);
        if apart(&all.measured, &run.measured) {
            return Err(MergeError::Apart(all.measured.began, run.measured.began));
        }
        // One of the two shifts is 0. If the new run began earlier, everything gathered so far moves to its
        // clock.
        let shifts = shifts(&all.measured, &run.measured);
        all.load = all
            .load
            .beside(f64::from(shifts.0), &run.load, f64::from(shifts.1));
        all.workloads = if all.workloads.is_empty() {
            later(run.workloads, shifts.1.into())
        } else {
            later(all.workloads, shifts.0.into())
        };
        join(&mut all.measured, run.measured, shifts);
    }
    Ok(judged(all))
}

/// Refuses a run that is contained in another one. Runs are numbered from one.
fn twice(runs: &[Stored]) -> Result<(), MergeError> {
    for (number, run) in runs.iter().enumerate() {
        let mut before = runs.iter().take(number);
        if let Some(earlier) =
            before.position(|earlier| !earlier.measured.runs.is_disjoint(&run.measured.runs))
        {
            return Err(MergeError::Twice(earlier + 1, number + 1));
        }
    }
    Ok(())
}

/// Each name once, in order.
fn all_of<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let mut all: Vec<&str> = Vec::new();
    for name in names {
        if !all.contains(&name.as_str()) {
            all.push(name);
        }
    }
    all.join(", ")
}

fn judged(run: Stored) -> Report {
    let parsed = |check: &Check| check.name.parse::<Threshold>().ok();
    let thresholds: Vec<Threshold> = run.checks.iter().filter_map(parsed).collect();
    let mut checks: Vec<Check> = checks(&thresholds, &run.measured);
    // Assertions on replicas cannot be judged again from the figures, so their outcome is kept.
    let kept = run.checks.iter().filter(|check| parsed(check).is_none());
    checks.extend(kept.cloned());
    let verdict = verdict(&checks, &run.doubts, &run.measured.end);
    Report {
        grade: (verdict != Verdict::Invalid).then(|| grade(&checks, &run.measured)),
        load: run.load,
        load_unit: match run.load_unit.as_str() {
            "users" => "users",
            "requests/s" => "requests/s",
            _ => "journeys/s",
        },
        name: run.name,
        target: run.target,
        objective: objective(&thresholds),
        measured: run.measured,
        workloads: run.workloads,
        checks,
        doubts: run.doubts,
        verdict,
    }
}

/// Whether one run began after the other had ended.
fn apart(one: &Measured, other: &Measured) -> bool {
    let length = |run: &Measured| {
        let seconds = u64::try_from(run.seconds.len()).unwrap_or(u64::MAX);
        jiff::SignedDuration::try_from(Duration::from_secs(seconds)).unwrap_or(jiff::SignedDuration::MAX)
    };
    let (first, second) = if one.began <= other.began {
        (one, other)
    } else {
        (other, one)
    };
    second.began.duration_since(first.began) > length(first)
}

/// How many seconds after the earlier one each run began; one of the two is 0.
fn shifts(one: &Measured, other: &Measured) -> (u32, u32) {
    let began = one.began.min(other.began);
    let after = |at: jiff::Timestamp| u32::try_from(at.duration_since(began).as_secs()).unwrap_or(0);
    (after(one.began), after(other.began))
}

fn join(all: &mut Measured, mut run: Measured, shifts: (u32, u32)) {
    first_due_later(all, shifts.0);
    first_due_later(&mut run, shifts.1);
    all.seconds = side_by_side(&all.seconds, shifts.0, &run.seconds, shifts.1);
    let after = |shift: u32, length: Duration| length.saturating_add(Duration::from_secs(shift.into()));
    all.planned = after(shifts.0, all.planned).max(after(shifts.1, run.planned));
    all.elapsed = after(shifts.0, all.elapsed).max(after(shifts.1, run.elapsed));
    all.began = all.began.min(run.began);
    // The worse of two ends counts.
    all.runs.append(&mut run.runs);
    all.end = match (std::mem::replace(&mut all.end, End::Completed), run.end) {
        (End::Aborted(why), _) | (_, End::Aborted(why)) => End::Aborted(why),
        (End::Interrupted, _) | (_, End::Interrupted) => End::Interrupted,
        (End::Completed, End::Completed) => End::Completed,
    };
    all.total.merge(&run.total);
    for (name, requests) in &run.steps {
        all.steps.entry(name.clone()).or_default().merge(requests);
    }
    all.schedule_error.merge(&run.schedule_error);
    all.generator.join(&run.generator);
    all.websocket = match (all.websocket.take(), run.websocket) {
        (Some(mut one), Some(other)) => {
            WebSockets::merge(&mut one, &other);
            Some(one)
        }
        (one, other) => one.or(other),
    };
}

/// Moves the moments at which first requests were due to the clock of a run that began `seconds` earlier.
fn first_due_later(run: &mut Measured, seconds: u32) {
    let later = Duration::from_secs(seconds.into());
    for requests in run.steps.values_mut().chain([&mut run.total]) {
        requests.first_due = requests.first_due.map(|due| due.saturating_add(later));
    }
}

#[cfg(test)]
mod tests;
