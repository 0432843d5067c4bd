//! What a run comes to, for whoever started it: the verdict, the demanded grade, and whether it was interrupted.

use crate::{
    model::measured::End,
    report::{Letter, Report, Verdict},
};

/// What a run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every check passed, and the grade is good enough.
    Passed,
    /// A check failed, or the grade is worse than demanded.
    Missed,
    /// The load generator, and not the service, caused the result.
    ProvesNothing,
    /// A signal or the live page ended the run before its end.
    Interrupted,
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Passed,
            Verdict::Fail => Self::Missed,
            Verdict::Invalid => Self::ProvesNothing,
        }
    }
}

/// The outcome of a run. `min_grade` is the worst grade with which it passes.
pub fn outcome(report: &Report, min_grade: Option<Letter>) -> Outcome {
    if report.measured.end == End::Interrupted {
        return Outcome::Interrupted;
    }
    let grade = report.grade.as_ref().map(|grade| grade.letter);
    match Outcome::from(report.verdict) {
        // Letters are ordered from A to D, so a greater one is worse.
        Outcome::Passed if min_grade.zip(grade).is_some_and(|(least, grade)| grade > least) => {
            Outcome::Missed
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Grade, testing};

    #[test]
    fn a_grade_that_is_too_bad_is_missed_and_an_interruption_outweighs_all() {
        let mut report = testing::passing();
        report.verdict = Verdict::Pass;
        report.measured.end = End::Completed;
        report.grade = Some(Grade {
            letter: Letter::B,
            points: 80.0,
            lost: Vec::new(),
        });
        assert_eq!(outcome(&report, None), Outcome::Passed);
        assert_eq!(outcome(&report, Some(Letter::B)), Outcome::Passed);
        assert_eq!(outcome(&report, Some(Letter::A)), Outcome::Missed);
        report.verdict = Verdict::Invalid;
        assert_eq!(outcome(&report, Some(Letter::A)), Outcome::ProvesNothing);
        report.measured.end = End::Interrupted;
        assert_eq!(outcome(&report, None), Outcome::Interrupted);
    }
}
