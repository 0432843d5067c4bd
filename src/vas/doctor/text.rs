//! The report of `vas doctor` as text, for people.

use std::fmt::Write as _;

use vas_diagnose::doctor::{Checked, Finding, Report, Severity};

/// Width of the column of check IDs. Messages begin after it.
const ID_WIDTH: usize = 26;

/// The report for people: what is wrong first, with its fix, problems before warnings; then the checks that had to be
/// skipped; then a summary line. With `verbose`, each group of checks follows with every line of it.
pub(super) fn render(report: &Report, verbose: bool, colour: bool) -> String {
    let mut text = String::new();
    wrong(&mut text, report, Severity::Problem, colour);
    wrong(&mut text, report, Severity::Warning, colour);
    if verbose {
        groups(&mut text, report, colour);
    } else {
        skipped(&mut text, report, colour);
    }
    let gap = if text.is_empty() { "" } else { "\n" };
    let _ = write!(text, "{gap}{}", summary(report));
    text
}

/// The findings of one severity, each with its fix.
fn wrong(text: &mut String, report: &Report, severity: Severity, colour: bool) {
    for checked in &report.checked {
        for finding in &checked.findings {
            if finding.severity == severity {
                line(text, checked.check.id, finding, colour);
            }
        }
    }
}

/// One line that names each check of which something is not known.
fn skipped(text: &mut String, report: &Report, colour: bool) {
    let is_skipped = |finding: &Finding| finding.severity == Severity::Skipped;
    let ids: Vec<&str> = report
        .checked
        .iter()
        .filter(|checked| checked.findings.iter().any(is_skipped))
        .map(|checked| checked.check.id)
        .collect();
    if !ids.is_empty() {
        let mark = mark(Severity::Skipped, colour);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  {mark}  not known (--verbose says why): {}",
            ids.join(", ")
        );
    }
}

/// Each group of checks, with a line for each check that is fine and for each finding that is not.
fn groups(text: &mut String, report: &Report, colour: bool) {
    let mut group = None;
    for checked in &report.checked {
        if group != Some(checked.check.group) {
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{:?}", checked.check.group);
            group = Some(checked.check.group);
        }
        lines(text, checked, colour);
    }
}

fn lines(text: &mut String, checked: &Checked, colour: bool) {
    let id = checked.check.id;
    let bad: Vec<&Finding> = checked
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Ok)
        .collect();
    if bad.is_empty() {
        let message = match checked.findings.as_slice() {
            [one] => one_line(one),
            several => format!("{} checked, all well", several.len()),
        };
        let _ = writeln!(
            text,
            "  {}  {id:ID_WIDTH$}  {message}",
            mark(Severity::Ok, colour)
        );
    }
    for finding in bad {
        line(text, id, finding, colour);
    }
}

fn line(text: &mut String, id: &str, finding: &Finding, colour: bool) {
    let mark = mark(finding.severity, colour);
    let _ = writeln!(text, "  {mark}  {id:ID_WIDTH$}  {}", one_line(finding));
    if let Some(fix) = &finding.fix {
        let _ = writeln!(text, "        fix: {fix}");
    }
}

fn one_line(finding: &Finding) -> String {
    match finding.object.as_str() {
        "-" => finding.message.clone(),
        object => format!("{object}: {}", finding.message),
    }
}

/// The word for a severity, with a colour on a terminal. The word alone says everything, so the text can be
/// read without colours.
fn mark(severity: Severity, colour: bool) -> String {
    let word = format!("{:4}", severity.to_string());
    let code = match severity {
        _ if !colour => return word,
        Severity::Ok => "32",
        Severity::Skipped => "2",
        Severity::Warning => "33",
        Severity::Problem => "1;31",
    };
    format!("\u{1b}[{code}m{word}\u{1b}[0m")
}

fn summary(report: &Report) -> String {
    let counted = |severity, one: &str, several: &str| match report.count(severity) {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    };
    format!(
        "{}, {}, {} skipped, {} ok",
        counted(Severity::Problem, "problem", "problems"),
        counted(Severity::Warning, "warning", "warnings"),
        report.count(Severity::Skipped),
        report.count(Severity::Ok)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use vas_diagnose::doctor::CHECKS;

    fn report(findings: Vec<Finding>) -> Report {
        let check = &CHECKS[0];
        Report {
            checked: vec![Checked { check, findings }],
        }
    }

    const BROKEN: &str = "  FAIL  api-server-reachable        A c: broken\n        fix: mend it\n";
    const WORN: &str = "  WARN  api-server-reachable        A d: worn\n";

    #[test]
    fn what_is_wrong_comes_first_with_its_fix_and_what_is_fine_only_when_asked() {
        let report = report(vec![
            Finding::ok("A b", "fine"),
            Finding::warning("A d", "worn"),
            Finding::problem("A c", "broken").fix("mend it"),
            Finding::skipped("A e", "forbidden"),
        ]);
        let summary = "\n1 problem, 1 warning, 1 skipped, 1 ok";
        let skipped = "  skip  not known (--verbose says why): api-server-reachable\n";
        assert_eq!(
            render(&report, false, false),
            format!("{BROKEN}{WORN}{skipped}{summary}")
        );
        let group = format!("\nCluster\n{WORN}{BROKEN}  skip  api-server-reachable        A e: forbidden\n");
        assert_eq!(
            render(&report, true, false),
            format!("{BROKEN}{WORN}{group}{summary}")
        );
    }

    #[test]
    fn what_is_well_is_the_summary_alone_or_one_line_for_each_check() {
        let several = report(vec![Finding::ok("A b", "fine"), Finding::ok("A c", "fine")]);
        let summary = "0 problems, 0 warnings, 0 skipped, 2 ok";
        assert_eq!(render(&several, false, false), summary);
        assert_eq!(
            render(&several, true, false),
            format!("Cluster\n  ok    api-server-reachable        2 checked, all well\n\n{summary}")
        );
    }

    #[test]
    fn colour_is_for_terminals() {
        let broken = report(vec![Finding::problem("A c", "broken")]);
        assert!(render(&broken, false, true).contains("\u{1b}[1;31mFAIL\u{1b}[0m"));
        assert!(!render(&broken, false, false).contains('\u{1b}'));
    }

    #[test]
    fn no_id_is_wider_than_its_column() {
        for check in CHECKS {
            assert!(check.id.len() <= ID_WIDTH, "{}", check.id);
        }
    }
}
