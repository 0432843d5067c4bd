//! The grade of a run: points by area, and gates that limit the letter. `docs/load-testing.md` has the table.
//!
//! Example: a run has checks of two areas, service level (weight 40) and time to scale (weight 15). Points
//! are then out of 55. One of four service-level checks fails and costs 100 * 40 / 55 / 4 = 18.2 points. The
//! run has 81.8 points, which would be a B. The gate lowers it to C, because a service level was missed.

use crate::{
    model::{
        check::{Area, Check},
        measured::Measured,
    },
    report::{Grade, Letter, Lost},
};

/// Weight of each area. Areas without a check do not count, so the others weigh more.
const WEIGHTS: [(Area, f64); 6] = [
    (Area::ServiceLevel, 40.0),
    (Area::UnderProvisioning, 20.0),
    (Area::TimeToScale, 15.0),
    (Area::Stability, 10.0),
    (Area::OverProvisioning, 10.0),
    (Area::ScaleDown, 5.0),
];
/// Least points for A, B and C.
const LETTERS: [(f64, Letter); 3] = [(90.0, Letter::A), (75.0, Letter::B), (60.0, Letter::C)];
/// A higher share of failed requests gives a D, whatever the points.
const ERRORS: f64 = 0.05;

/// Grades a run by its checks.
pub fn grade(checks: &[Check], measured: &Measured) -> Grade {
    let of = |area: Area| checks.iter().filter(move |check| check.area == area);
    let graded: Vec<(Area, f64)> = WEIGHTS
        .into_iter()
        .filter(|(area, _)| of(*area).next().is_some())
        .collect();
    let whole: f64 = graded.iter().map(|(_, weight)| weight).sum();
    let mut lost: Vec<Lost> = Vec::new();
    for (area, weight) in graded {
        // The checks of an area share its weight.
        let count = of(area).map(|_| 1.0).sum::<f64>();
        for check in of(area).filter(|check| !check.passed) {
            lost.push(Lost {
                points: 100.0 * weight / whole / count,
                cause: format!("{}: {}", check.name, check.measured),
                hint: check.hint.clone().unwrap_or_default(),
            });
        }
    }
    lost.sort_by(|one, other| other.points.total_cmp(&one.points));
    let points = 100.0 - lost.iter().map(|lost| lost.points).sum::<f64>();
    // Rounded, because a sum of shares may be 89.9999999 where it should be 90, which is an A.
    let points = (points * 1000.0).round() / 1000.0;
    let earned = LETTERS
        .into_iter()
        .find_map(|(least, letter)| (points >= least).then_some(letter))
        .unwrap_or(Letter::D);
    Grade {
        // Letters are ordered from A to D, so the maximum is the worse one.
        letter: earned.max(gate(checks, measured)),
        points,
        lost,
    }
}

/// The best letter that the gates allow, whatever the points: a missed service level allows no A or B.
fn gate(checks: &[Check], measured: &Measured) -> Letter {
    let errors = measured.total.error_share().unwrap_or(1.0);
    let missed = |check: &Check| check.area == Area::ServiceLevel && !check.passed;
    if errors > ERRORS {
        Letter::D
    } else if checks.iter().any(missed) {
        Letter::C
    } else {
        Letter::A
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::{measured, requests};

    fn check(area: Area, passed: bool) -> Check {
        Check {
            name: format!("{area:?}"),
            area,
            measured: "so much".to_owned(),
            passed,
            hint: (!passed).then(|| "do this".to_owned()),
        }
    }

    fn graded(checks: &[Check]) -> (Letter, f64) {
        let grade = grade(checks, &measured(requests(100, 0)));
        (grade.letter, grade.points)
    }

    #[test]
    fn points_are_lost_by_weight_and_areas_without_a_check_count_for_nothing() {
        let all = |missed: &[Area]| -> Vec<Check> {
            let check = |(area, _): (Area, f64)| check(area, !missed.contains(&area));
            WEIGHTS.map(check).to_vec()
        };
        assert_eq!(graded(&all(&[])), (Letter::A, 100.0));
        assert_eq!(graded(&all(&[Area::OverProvisioning])), (Letter::A, 90.0));
        assert_eq!(graded(&all(&[Area::UnderProvisioning])), (Letter::B, 80.0));
        assert_eq!(
            graded(&all(&[Area::UnderProvisioning, Area::TimeToScale])),
            (Letter::C, 65.0)
        );
        assert_eq!(graded(&[check(Area::ServiceLevel, true)]), (Letter::A, 100.0));
        let halves = [check(Area::Stability, true), check(Area::Stability, false)];
        assert_eq!(graded(&halves), (Letter::D, 50.0));
    }

    #[test]
    fn a_missed_service_level_allows_no_better_than_c_and_many_errors_d() {
        let mut many = vec![check(Area::ServiceLevel, false)];
        many.extend((0..9).map(|_| check(Area::ServiceLevel, true)));
        assert_eq!(graded(&many), (Letter::C, 90.0));
        let storm = grade(&[check(Area::ServiceLevel, true)], &measured(requests(94, 6)));
        assert_eq!(storm.letter, Letter::D);
    }

    #[test]
    fn each_lost_point_has_its_cause_and_a_hint() {
        let checks = [check(Area::ServiceLevel, true), check(Area::TimeToScale, false)];
        let grade = grade(&checks, &measured(requests(100, 0)));
        assert_eq!(grade.lost.len(), 1);
        assert!((grade.lost[0].points - 100.0 * 15.0 / 55.0).abs() < 1e-9);
        assert_eq!(grade.lost[0].cause, "TimeToScale: so much");
        assert_eq!(grade.lost[0].hint, "do this");
    }
}
