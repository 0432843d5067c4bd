use super::*;
use crate::model::scaling::{Bounds, Budget, Replicas};

const MOMENTS: Moments = Moments {
    rise: 30.0,
    release: 200.0,
    end: 400.0,
};

fn asserted() -> Asserted {
    Asserted {
        wanted: 10,
        needed: 10,
        scale_up: Duration::from_secs(300),
        overshoot: 0.25,
        scale_down: Some(Duration::from_secs(150)),
        under_provisioned: 0.1,
    }
}

/// From two to ten replicas and back. Desired replicas, replicas in the spec and Ready pods change together.
fn scaling(steps: &[(f64, u32)]) -> Scaling {
    let replicas = steps.iter().map(|&(at, count)| Replicas {
        at,
        desired: count,
        current: count,
        ready: count,
    });
    Scaling {
        bounds: Bounds { min: 2, max: 10 },
        replicas: replicas.collect(),
        ..Scaling::default()
    }
}

fn good() -> Scaling {
    scaling(&[(0.0, 2), (50.0, 4), (80.0, 10), (250.0, 5), (310.0, 2)])
}

fn of(scaling: &Scaling, elasticity: Option<Elasticity>) -> Vec<Check> {
    let workload = Workload {
        scaling: scaling.clone(),
        chains: Vec::new(),
        elasticity,
    };
    checks(&workload, MOMENTS, &asserted())
}

fn failed(scaling: &Scaling) -> Vec<String> {
    let checks = of(scaling, None);
    let failed = checks.iter().filter(|check| !check.passed);
    failed
        .map(|check| format!("{}: {}", check.name, check.measured))
        .collect()
}

#[test]
fn up_in_time_down_in_time_and_nothing_else_holds() {
    let checks = of(&good(), None);
    let told: Vec<(&str, &str)> = checks
        .iter()
        .map(|check| (check.name.as_str(), check.measured.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("2 to 10 Ready pods in < 5m", "50.0s"),
            ("at most 12 replicas asked for", "10"),
            ("no flapping", "up and down once"),
            ("back at 2 replicas in < 2m30s", "1m50s"),
        ]
    );
    assert!(checks.iter().all(|check| check.passed));
}

#[test]
fn each_assertion_can_fail_and_says_what_was_seen() {
    for (steps, expected) in [
        (
            vec![(0.0, 2), (50.0, 9), (250.0, 2)],
            "2 to 10 Ready pods in < 5m: 9 Ready pods at most while the load was on",
        ),
        (
            vec![(0.0, 2), (50.0, 13), (250.0, 2)],
            "at most 12 replicas asked for: 13",
        ),
        (
            vec![(0.0, 2), (50.0, 10), (90.0, 8), (95.0, 10), (250.0, 2)],
            "no flapping: turned 2 times more, at 95s, 250s",
        ),
        (
            vec![(0.0, 2), (50.0, 10), (250.0, 3)],
            "back at 2 replicas in < 2m30s: 3 replicas 3m20s after the load",
        ),
        (
            vec![(0.0, 2), (50.0, 10), (360.0, 2)],
            "back at 2 replicas in < 2m30s: 2m40s",
        ),
    ] {
        assert_eq!(failed(&scaling(&steps)), [expected], "{steps:?}");
    }
}

#[test]
fn ready_pods_after_the_load_are_too_late() {
    let late = scaling(&[(0.0, 2), (210.0, 10), (260.0, 2)]);
    assert_eq!(failed(&late).len(), 1, "{:?}", failed(&late));
}

#[test]
fn a_budget_is_broken_by_a_pod_that_leaves_and_not_by_pods_that_are_still_to_come() {
    let mut scaling = good();
    let budget = |at: f64, wanted: u32| Budget {
        at,
        allowed: 0,
        wanted,
    };
    scaling.budget = vec![
        budget(0.0, 1),
        budget(79.0, 8),
        budget(251.0, 4),
        budget(311.0, 2),
    ];
    let check = |scaling: &Scaling| budget::check(scaling).unwrap();
    assert!(check(&scaling).passed, "{:?}", check(&scaling));
    let lost = |ready: u32| {
        let mut scaling = scaling.clone();
        scaling.replicas[3] = Replicas {
            at: 100.0,
            desired: 10,
            current: 10,
            ready,
        };
        check(&scaling)
    };
    assert!(lost(8).passed);
    assert_eq!(lost(7).measured, "7 Ready at 100s, where 8 had to stay");
    assert!(!lost(7).passed);
    assert!(budget::check(&good()).is_none());
}

#[test]
fn under_provisioning_is_checked_where_the_capacity_is_known() {
    let elasticity = |share: f64| Elasticity {
        under_timeshare: share,
        ..Elasticity::default()
    };
    let passed = |share: f64| {
        let checks = of(&good(), Some(elasticity(share)));
        let check = checks
            .iter()
            .find(|check| check.area == Area::UnderProvisioning)
            .unwrap();
        check.passed
    };
    assert!(passed(9.9) && !passed(10.0));
}
