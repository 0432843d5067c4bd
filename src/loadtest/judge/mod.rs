//! Judges a run: checks, doubts, grade and verdict, from what was measured.
//!
//! ```text
//! thresholds  a bound of the scenario -> a check        trend   the slope of latency over the run
//! sockets     the same for WebSocket connections        grade   the checks -> points and a letter
//! seen        what was measured of a bound, in words    doubts  was it the generator?
//! outcome     what the run comes to, for whoever started it
//! ```

mod doubts;
pub(crate) mod grade;
mod outcome;
mod seen;
mod sockets;
mod thresholds;
mod trend;

use super::{
    model::{
        check::Check,
        measured::{End, Measured},
    },
    report::{Report, Verdict, Workload},
    scenario::{
        model::{Bound, Scenario, Threshold},
        part::Part,
        rate::Profile,
    },
};

pub use self::{
    doubts::doubts,
    grade::grade,
    outcome::{Outcome, outcome},
    thresholds::checks,
    trend::Trend,
};

/// Judges a run. `assertions` are checks that do not come from the scenario, such as those on replicas.
pub fn judge(
    scenario: &Scenario,
    target: &str,
    measured: Measured,
    workloads: Vec<Workload>,
    assertions: Vec<Check>,
) -> Report {
    let mut checks = checks(&scenario.thresholds, &measured);
    if !bounds_errors(&scenario.thresholds) {
        checks.push(thresholds::check(&MOST_ERRORS, &measured));
    }
    checks.extend(assertions);
    let doubts = doubts(scenario, &measured);
    let verdict = verdict(&checks, &doubts, &measured.end);
    Report {
        name: scenario.name.clone(),
        target: target.to_owned(),
        load: part_of(scenario),
        load_unit: unit(scenario),
        objective: scenario.objective(),
        grade: (verdict != Verdict::Invalid).then(|| grade(&checks, &measured)),
        measured,
        workloads,
        checks,
        doubts,
        verdict,
    }
}

/// The planned load of this process.
fn part_of(scenario: &Scenario) -> Profile {
    let whole = scenario.load.profile();
    if scenario.part == Part::default() {
        whole.clone()
    } else {
        whole.scaled(scenario.part.of_level(1.0), 1.0)
    }
}

/// The verdict. A doubt makes the run invalid, whatever the checks say. An aborted run or a failed check
/// fails it.
pub fn verdict(checks: &[Check], doubts: &[String], end: &End) -> Verdict {
    if !doubts.is_empty() {
        Verdict::Invalid
    } else if matches!(end, End::Aborted(_)) || checks.iter().any(|check| !check.passed) {
        Verdict::Fail
    } else {
        Verdict::Pass
    }
}

/// Checked for every run whose scenario has no threshold on errors, so that a run without any answer cannot
/// pass.
const MOST_ERRORS: Threshold = Threshold {
    step: None,
    bound: Bound::Errors(0.05),
    inclusive: false,
};

fn bounds_errors(thresholds: &[Threshold]) -> bool {
    let of_all = |threshold: &Threshold| threshold.step.is_none();
    thresholds
        .iter()
        .any(|threshold| of_all(threshold) && matches!(threshold.bound, Bound::Errors(_) | Bound::Failed(_)))
}

pub(crate) fn unit(scenario: &Scenario) -> &'static str {
    if !scenario.load.has_schedule() {
        "users"
    } else if scenario.is_single() {
        "requests/s"
    } else {
        "journeys/s"
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        testing::{measured, requests},
        *,
    };
    use crate::scenario::quick::{Level, scenario};

    fn judged(thresholds: &[&str], measured: Measured) -> Report {
        let thresholds = thresholds.iter().map(|text| text.parse().unwrap()).collect();
        let scenario = scenario(Level::Rate(10.0), Duration::from_secs(10), false, thresholds);
        judge(&scenario, "http://h", measured, Vec::new(), Vec::new())
    }

    #[test]
    fn a_run_without_thresholds_still_fails_when_nobody_is_answered() {
        assert_eq!(judged(&[], measured(requests(0, 100))).verdict, Verdict::Fail);
        assert_eq!(judged(&[], measured(requests(96, 4))).verdict, Verdict::Pass);
        // A threshold on errors in the scenario replaces the built-in one.
        assert_eq!(
            judged(&["errors < 50%"], measured(requests(60, 40))).verdict,
            Verdict::Pass
        );
    }

    #[test]
    fn doubts_come_before_failures_and_an_aborted_run_never_passes() {
        let mut paused = measured(requests(0, 100));
        paused.generator.longest_pause = 2.0;
        let report = judged(&[], paused);
        assert_eq!((report.verdict, report.grade), (Verdict::Invalid, None));
        let mut aborted = measured(requests(100, 0));
        aborted.end = End::Aborted("a storm".to_owned());
        assert_eq!(judged(&[], aborted).verdict, Verdict::Fail);
    }

    #[test]
    fn the_line_of_the_objective_is_the_bound_of_the_p95_of_all_requests() {
        let report = judged(
            &["step GET: latency p95 < 1s", "latency p95 < 2s"],
            measured(requests(10, 0)),
        );
        assert_eq!(report.objective, Some(Duration::from_secs(2)));
        assert_eq!(report.load_unit, "requests/s");
    }
}

#[cfg(test)]
pub(super) mod testing;
