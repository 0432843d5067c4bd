//! Several runs as one, such as those of several machines at the same time: counts are added, histograms merged without
//! loss, seconds put side by side by time of day.

use std::{collections::BTreeMap, time::Duration};

use super::{
    check::{Area, Check},
    judge::{checks, grade, verdict},
    latencies::Quantiles,
    measured::{End, Measured, Second, WebSockets},
    rate::Profile,
    report::{
        Report, Verdict,
        json::{Stored, StoredCheck},
    },
    scenario::model::Threshold,
};

/// Why runs cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Nothing to merge.
    #[error("there is no run to merge")]
    None,
    /// Users and rates do not add up.
    #[error("one run is in {0}, another in {1}: only runs of the same kind are merged")]
    Unit(String, String),
    /// They did not send at the same time.
    #[error(
        "one run began at {0}, another at {1}, when no other was sending: only runs of the same time are merged"
    )]
    Apart(jiff::Timestamp, jiff::Timestamp),
}

/// The runs as one, judged anew by the thresholds of all of them.
///
/// # Errors
/// When there is none, or they are of different kinds.
pub fn merge(runs: Vec<Stored>) -> Result<Report, MergeError> {
    let mut runs = runs.into_iter();
    let mut all = runs.next().ok_or(MergeError::None)?;
    for run in runs {
        if run.load_unit != all.load_unit {
            return Err(MergeError::Unit(all.load_unit, run.load_unit));
        }
        all.load_peak += run.load_peak;
        for check in run.checks {
            let known = all.checks.iter_mut().find(|known| known.name == check.name);
            match known {
                // Of two that hold and do not, the latter is told.
                Some(known) if known.passed => *known = check,
                Some(_) => {}
                None => all.checks.push(check),
            }
        }
        all.doubts.extend(run.doubts);
        if apart(&all.measured, &run.measured) {
            return Err(MergeError::Apart(all.measured.began, run.measured.began));
        }
        if run.target != all.target {
            all.target = format!("{}, {}", all.target, run.target);
        }
        join(&mut all.measured, run.measured);
    }
    Ok(judged(all))
}

fn judged(run: Stored) -> Report {
    let parsed = |check: &StoredCheck| check.name.parse::<Threshold>().ok();
    let thresholds: Vec<Threshold> = run.checks.iter().filter_map(parsed).collect();
    let mut checks: Vec<Check> = checks(&thresholds, &run.measured);
    // What is no threshold cannot be judged anew, and must not be lost.
    let kept = run.checks.iter().filter(|check| parsed(check).is_none());
    checks.extend(kept.map(|check| Check {
        name: check.name.clone(),
        area: Area::ServiceLevel,
        measured: check.measured.clone(),
        passed: check.passed,
        hint: None,
    }));
    let verdict = verdict(&checks, &run.doubts, &run.measured.end);
    Report {
        grade: (verdict != Verdict::Invalid).then(|| grade(&checks, &run.measured)),
        load: Profile::constant(run.load_peak, run.measured.planned),
        load_unit: match run.load_unit.as_str() {
            "users" => "users",
            "requests/s" => "requests/s",
            _ => "journeys/s",
        },
        name: run.name,
        target: run.target,
        objective: None,
        measured: run.measured,
        workloads: Vec::new(),
        checks,
        doubts: run.doubts,
        verdict,
    }
}

/// Whether one began when the other had ended.
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

fn join(all: &mut Measured, run: Measured) {
    let began = all.began.min(run.began);
    let seconds_after = |at: jiff::Timestamp| {
        let after = at.duration_since(began).as_secs();
        u32::try_from(after).unwrap_or(0)
    };
    let shifts = (seconds_after(all.began), seconds_after(run.began));
    all.seconds = side_by_side(&all.seconds, shifts.0, &run.seconds, shifts.1);
    let after = |shift: u32, length: Duration| length + Duration::from_secs(u64::from(shift));
    all.planned = after(shifts.0, all.planned).max(after(shifts.1, run.planned));
    all.elapsed = after(shifts.0, all.elapsed).max(after(shifts.1, run.elapsed));
    all.began = began;
    // The one that ended worse counts.
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

/// Quantiles of seconds cannot be merged: the worse one is kept, which is the bound.
fn side_by_side(one: &[Second], one_after: u32, other: &[Second], other_after: u32) -> Vec<Second> {
    let mut seconds: BTreeMap<u32, Second> = BTreeMap::new();
    for (run, after) in [(one, one_after), (other, other_after)] {
        for second in run {
            let at = second.at + after;
            let all = seconds.entry(at).or_insert_with(|| Second {
                at,
                ..Second::default()
            });
            all.due += second.due;
            all.answered += second.answered;
            all.failed += second.failed;
            all.concurrency += second.concurrency;
            all.websockets += second.websockets;
            all.latency = worse(all.latency, second.latency);
            all.generator_cpu = match (all.generator_cpu, second.generator_cpu) {
                (Some(one), Some(other)) => Some(one.max(other)),
                (one, other) => one.or(other),
            };
        }
    }
    let last = seconds.keys().next_back().copied();
    // Without gaps, as in one run.
    last.map(|last| {
        (0..=last)
            .map(|at| {
                seconds.remove(&at).unwrap_or(Second {
                    at,
                    ..Second::default()
                })
            })
            .collect()
    })
    .unwrap_or_default()
}

fn worse(one: Option<Quantiles>, other: Option<Quantiles>) -> Option<Quantiles> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.worse(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::core::loadtest::report::{
        json::{read, render},
        testing::{failing, passing},
    };

    fn stored(report: &Report) -> Stored {
        read(&render(report).unwrap()).unwrap()
    }

    #[test]
    fn counts_are_added_and_histograms_are_as_if_all_had_been_one_run() {
        let (one, other) = (passing(), failing());
        let merged = merge(vec![stored(&one), stored(&other)]).unwrap();
        let mut both = one.measured.total.clone();
        both.merge(&other.measured.total);
        let total = &merged.measured.total;
        assert_eq!((total.due, total.answered, total.failed()), (200, 190, 10));
        assert_eq!(total.latency.histogram(), both.latency.histogram());
        assert_eq!(
            merged.measured.steps["GET"].latency.histogram(),
            both.latency.histogram()
        );
        assert_eq!(merged.measured.generator.processors, 4);
        // 5 % of all requests failed, and both runs allow 1 %.
        assert_eq!(merged.verdict, Verdict::Fail);
        assert_eq!(merged.checks.len(), 2);
    }

    #[test]
    fn seconds_stand_side_by_side_by_time_of_day() {
        let (one, mut other) = (passing(), passing());
        other.measured.began += SignedDuration::from_secs(3);
        let merged = merge(vec![stored(&other), stored(&one)]).unwrap();
        let due: Vec<u64> = merged.measured.seconds.iter().map(|second| second.due).collect();
        assert_eq!(due, [10, 10, 10, 20, 20, 20, 20, 20, 20, 20, 10, 10, 10]);
        assert_eq!(merged.measured.elapsed, Duration::from_secs(13));
        assert_eq!(merged.measured.began, one.measured.began);
    }

    #[test]
    fn a_doubt_about_one_run_is_one_about_all() {
        let mut doubtful = passing();
        doubtful.doubts = vec!["it stood still".to_owned()];
        let merged = merge(vec![stored(&passing()), stored(&doubtful)]).unwrap();
        assert_eq!((merged.verdict, merged.grade), (Verdict::Invalid, None));
        assert_eq!(merged.doubts, ["it stood still"]);
    }

    #[test]
    fn a_check_that_cannot_be_judged_anew_is_not_lost() {
        let mut failed = stored(&passing());
        failed.checks.push(StoredCheck {
            name: "api-gateway: at most 10 replicas".to_owned(),
            passed: false,
            measured: "12".to_owned(),
        });
        let merged = merge(vec![stored(&passing()), failed]).unwrap();
        assert_eq!(merged.verdict, Verdict::Fail);
        assert!(
            merged
                .checks
                .iter()
                .any(|check| check.measured == "12" && !check.passed)
        );
    }

    #[test]
    fn runs_of_different_times_are_not_merged() {
        let mut later = passing();
        later.measured.began += SignedDuration::from_hours(168);
        let error = merge(vec![stored(&later), stored(&passing())]).unwrap_err();
        assert!(matches!(error, MergeError::Apart(..)), "{error}");
        assert!(error.to_string().contains("1970-01-08"), "{error}");
    }

    #[test]
    fn runs_of_different_kinds_are_not_merged() {
        let mut users = stored(&passing());
        users.load_unit = "users".to_owned();
        let refused = merge(vec![stored(&passing()), users]).unwrap_err();
        assert_eq!(
            refused,
            MergeError::Unit("requests/s".to_owned(), "users".to_owned())
        );
        assert_eq!(merge(Vec::new()).unwrap_err(), MergeError::None);
    }
}
