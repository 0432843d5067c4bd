//! The report of `vas doctor` as text, for people.

use std::fmt::Write as _;

use vas_diagnose::doctor::{Checked, Finding, Report, Severity};

/// Width of the column of check IDs. Messages begin after it.
const ID_WIDTH: usize = 26;

/// The report: each group of checks with a line for each check that is fine and for each finding that is not,
/// then a summary line.
pub(super) fn render(report: &Report, colour: bool) -> String {
    let mut text = String::new();
    let mut group = None;
    for checked in &report.checked {
        if group != Some(checked.check.group) {
            let gap = if group.is_some() { "\n" } else { "" };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{gap}{:?}", checked.check.group);
            group = Some(checked.check.group);
        }
        lines(&mut text, checked, colour);
    }
    let _ = write!(text, "\n{}", summary(report));
    text
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
        let _ = writeln!(
            text,
            "  {}  {id:ID_WIDTH$}  {}",
            mark(finding.severity, colour),
            one_line(finding)
        );
        if let Some(fix) = &finding.fix {
            let _ = writeln!(text, "        fix: {fix}");
        }
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

    #[test]
    fn what_is_not_well_has_a_line_and_its_fix_each() {
        let report = report(vec![
            Finding::ok("A b", "fine"),
            Finding::problem("A c", "broken").fix("mend it"),
            Finding::warning("A d", "worn"),
        ]);
        assert_eq!(
            render(&report, false),
            "Cluster\n  FAIL  api-server-reachable        A c: broken\n        fix: mend it\n  WARN  api-server-reachable        A d: worn\n\n1 problem, 1 warning, 0 skipped, 1 ok"
        );
    }

    #[test]
    fn what_is_well_is_one_line() {
        let several = report(vec![Finding::ok("A b", "fine"), Finding::ok("A c", "fine")]);
        assert!(
            render(&several, false).contains("  ok    api-server-reachable        2 checked, all well\n")
        );
    }

    #[test]
    fn colour_is_for_terminals() {
        let broken = report(vec![Finding::problem("A c", "broken")]);
        assert!(render(&broken, true).contains("\u{1b}[1;31mFAIL\u{1b}[0m"));
        assert!(!render(&broken, false).contains('\u{1b}'));
    }

    #[test]
    fn no_id_is_wider_than_its_column() {
        for check in CHECKS {
            assert!(check.id.len() <= ID_WIDTH, "{}", check.id);
        }
    }
}
