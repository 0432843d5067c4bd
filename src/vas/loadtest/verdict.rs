//! The exit code of a report.

use clap::ValueEnum;

use super::{EXIT_INTERRUPTED, EXIT_MISSED, EXIT_PROVES_NOTHING};
use vas_loadtest::{
    model::measured::End,
    report::{Letter, Report, Verdict},
};

/// The worst grade with which a test passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "verbatim")]
pub(crate) enum MinGrade {
    /// 90 points or more.
    A,
    /// 75 points or more.
    B,
    /// 60 points or more.
    C,
}

/// The exit code of a run, where `written` says whether all reports could be written. The verdict of the run
/// outweighs a report that could not be written.
pub(crate) fn after_writing(code: u8, written: bool) -> u8 {
    match (code, written) {
        (0, false) => 1,
        (code, _) => code,
    }
}

/// The exit code of a report.
pub(crate) fn code(report: &Report, min_grade: Option<MinGrade>) -> u8 {
    if report.measured.end == End::Interrupted {
        return EXIT_INTERRUPTED;
    }
    let min_grade = min_grade.map(|grade| match grade {
        MinGrade::A => Letter::A,
        MinGrade::B => Letter::B,
        MinGrade::C => Letter::C,
    });
    let grade = report.grade.as_ref().map(|grade| grade.letter);
    match report.verdict {
        Verdict::Invalid => EXIT_PROVES_NOTHING,
        Verdict::Fail => EXIT_MISSED,
        // Letters are ordered from A to D, so a greater one is worse.
        Verdict::Pass if min_grade.zip(grade).is_some_and(|(least, grade)| grade > least) => EXIT_MISSED,
        Verdict::Pass => 0,
    }
}
