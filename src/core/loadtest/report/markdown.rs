//! A run as Markdown, for a pull request.

use std::fmt::Write as _;

use super::{Report, Verdict, text::shown, words::achieved_rate};
use crate::core::loadtest::{
    duration,
    latencies::{Latencies, Quantiles},
    scenario::threshold::in_percent,
};

/// The report as Markdown.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, report);
    out
}

fn write_all(out: &mut String, report: &Report) -> std::fmt::Result {
    let verdict = match report.verdict {
        Verdict::Pass => "passed",
        Verdict::Fail => "failed",
        Verdict::Invalid => "proves nothing",
    };
    let grade = report
        .grade
        .as_ref()
        .map(|grade| format!(", grade {:?}", grade.letter))
        .unwrap_or_default();
    writeln!(out, "### vas test {}: {verdict}{grade}\n", cell(&report.name))?;
    let total = &report.measured.total;
    writeln!(
        out,
        "{} requests in {} on {}, {:.1} answered/s, {} failed ({}).\n",
        total.due,
        duration::format(report.measured.elapsed),
        cell(&report.target),
        achieved_rate(report),
        total.failed(),
        total.error_share().map_or("none ended".to_owned(), in_percent),
    )?;
    for doubt in &report.doubts {
        writeln!(out, "> {}\n", cell(doubt))?;
    }
    writeln!(
        out,
        "| | p50 | p90 | p95 | p99 | p99.9 | max |\n|---|---|---|---|---|---|---|"
    )?;
    row(out, "latency, from when it was due", &total.latency)?;
    row(out, "service time, from the send", &total.service_time)?;
    if !report.checks.is_empty() {
        writeln!(out, "\n| | check | measured |\n|---|---|---|")?;
    }
    for check in &report.checks {
        let mark = if check.passed { "ok" } else { "**missed**" };
        writeln!(
            out,
            "| {mark} | {} | {} |",
            cell(&check.name),
            cell(&check.measured)
        )?;
    }
    for lost in report.grade.iter().flat_map(|grade| &grade.lost) {
        writeln!(
            out,
            "\n- {:.0} points: {}. {}",
            lost.points,
            cell(&lost.cause),
            cell(&lost.hint)
        )?;
    }
    Ok(())
}

fn row(out: &mut String, name: &str, latencies: &Latencies) -> std::fmt::Result {
    write!(out, "| {name} |")?;
    match latencies.quantiles() {
        None => write!(out, " - | - | - | - | - | - |")?,
        Some(Quantiles {
            p50,
            p90,
            p95,
            p99,
            p999,
            max,
        }) => {
            for quantile in [p50, p90, p95, p99, p999, max] {
                write!(out, " {} |", shown(Some(quantile)))?;
            }
        }
    }
    writeln!(out)
}

/// Text that stays in its cell and is no markup.
fn cell(text: &str) -> String {
    let mut escaped = String::new();
    for char in text.chars() {
        match char {
            '\n' | '\r' => escaped.push(' '),
            '|' | '<' | '>' | '*' | '_' | '`' | '[' | ']' | '\\' => {
                escaped.push('\\');
                escaped.push(char);
            }
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::loadtest::report::testing::{failing, passing};

    #[test]
    fn it_has_the_verdict_both_latencies_and_every_check() {
        let text = render(&failing());
        assert!(text.starts_with("### vas test load: failed, grade D\n"), "{text}");
        assert!(
            text.contains("| latency, from when it was due | 500ms |"),
            "{text}"
        );
        assert!(text.contains("| **missed** | errors \\< 1% | 10% |"), "{text}");
    }

    #[test]
    fn text_from_outside_stays_in_its_cell() {
        let mut report = passing();
        report.checks[0].measured = "a | b\n<img src=x>".to_owned();
        assert!(
            render(&report).contains("| a \\| b \\<img src=x\\> |"),
            "{}",
            render(&report)
        );
    }
}
