use jiff::SignedDuration;

use super::*;
use crate::{
    model::check::Area,
    report::{
        Workload, example,
        json::{read, render},
        testing::{failing, passing},
    },
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
fn the_same_run_counts_once_also_when_it_is_in_a_merged_one() {
    let (one, other) = (stored(&passing()), stored(&passing()));
    let refused = merge(vec![one.clone(), other.clone(), one.clone()]).unwrap_err();
    assert_eq!(refused, MergeError::Twice(1, 3));
    let both = stored(&merge(vec![one.clone(), other.clone()]).unwrap());
    assert_eq!(both.measured.runs.len(), 2);
    assert_eq!(merge(vec![other, both]).unwrap_err(), MergeError::Twice(1, 2));
}

/// A report of an earlier version, which did not say which run it was.
fn unnamed(report: &Report) -> Stored {
    let mut document: serde_json::Value = serde_json::from_str(&render(report).unwrap()).unwrap();
    let removed = document["run"].as_object_mut().unwrap().remove("ids");
    assert!(removed.is_some());
    read(&document.to_string()).unwrap()
}

#[test]
fn a_run_that_does_not_say_which_it_is_counts_once_too() {
    let (report, other) = (passing(), stored(&failing()));
    let earlier = unnamed(&report);
    let twice = merge(vec![earlier.clone(), unnamed(&report)]).unwrap_err();
    assert_eq!(twice, MergeError::Twice(1, 2));
    let both = stored(&merge(vec![earlier.clone(), other]).unwrap());
    assert_eq!(both.measured.runs.len(), 2);
    assert_eq!(
        merge(vec![both, earlier.clone()]).unwrap_err(),
        MergeError::Twice(1, 2)
    );
    let mut later = passing();
    later.measured.began += SignedDuration::from_nanos(1);
    assert!(merge(vec![earlier, unnamed(&later)]).is_ok());
}

#[test]
fn scenarios_and_targets_are_named_each_once() {
    let run = |name: &str, target: &str| {
        let mut run = stored(&passing());
        (run.name, run.target) = (name.to_owned(), target.to_owned());
        run
    };
    let runs = [("load", "http://a"), ("spike", "http://b"), ("load", "http://b")];
    let merged = merge(runs.map(|(name, target)| run(name, target)).to_vec()).unwrap();
    assert_eq!(
        (&*merged.name, &*merged.target),
        ("load, spike", "http://a, http://b")
    );
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
    failed.checks.push(Check {
        name: "api-gateway: at most 10 replicas".to_owned(),
        area: Area::OverProvisioning,
        passed: false,
        measured: "12".to_owned(),
        hint: Some("lower maxReplicas".to_owned()),
    });
    let merged = merge(vec![stored(&passing()), failed]).unwrap();
    assert_eq!(merged.verdict, Verdict::Fail);
    let kept = merged.checks.iter().find(|check| check.measured == "12").unwrap();
    assert_eq!((kept.area, kept.passed), (Area::OverProvisioning, false));
    assert_eq!(kept.hint.as_deref(), Some("lower maxReplicas"));
}

#[test]
fn the_load_is_that_of_both_and_the_cluster_that_of_who_watched_on_the_clock_of_all() {
    let (alone, mut watching) = (passing(), example::autoscaling());
    watching.measured.began = alone.measured.began + SignedDuration::from_secs(4);
    for runs in [[&alone, &watching], [&watching, &alone]] {
        let merged = merge(runs.map(stored).to_vec()).unwrap();
        let workload = &merged.workloads[0];
        let expected = &watching.workloads[0];
        let at = |workload: &Workload| workload.scaling.replicas[1].at;
        assert!((at(workload) - at(expected) - 4.0).abs() < 1e-9);
        assert_eq!(
            workload.chains[0].time_to_scale(),
            expected.chains[0].time_to_scale()
        );
        let start = |workload: &Workload| workload.chains[0].links[0].at.unwrap();
        assert!((start(workload) - start(expected) - 4.0).abs() < 1e-9);
        // Elasticity was computed from the load of one generator, so it is left out.
        assert_eq!(workload.elasticity, None);
        assert!((merged.load.level(5.0) - 30.0).abs() < 1e-6);
        assert_eq!(merged.objective, Some(Duration::from_millis(500)));
    }
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
