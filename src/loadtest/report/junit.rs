//! A run as JUnit XML for continuous integration: one test case for each check, and one for the run itself.

use std::fmt::Write as _;

use super::{
    Report, Verdict,
    escape::escape,
    words::{self, achieved_rate},
};
use crate::model::{
    cause::by_count,
    measured::{End, Requests},
};

/// The report as JUnit XML.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, report);
    out
}

fn write_all(out: &mut String, report: &Report) -> std::fmt::Result {
    let run = why_not_completed(report);
    let failed = report.checks.iter().filter(|check| !check.passed).count();
    let suite = escape(&format!("vas test {}", report.name));
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuite name="{suite}" tests="{}" failures="{failed}" errors="{}" time="{:.3}" timestamp="{}">"#,
        report.checks.len() + 1,
        u8::from(run.is_some()),
        report.measured.elapsed.as_secs_f64(),
        report.measured.began,
    )?;
    properties(out, report)?;
    writeln!(out, r#"  <testcase classname="{suite}" name="run completed">"#)?;
    if let Some(why) = run {
        writeln!(out, r#"    <error message="{}"/>"#, escape(&why))?;
    }
    writeln!(out, "  </testcase>")?;
    for check in &report.checks {
        writeln!(
            out,
            r#"  <testcase classname="{suite}" name="{}">"#,
            escape(&check.name)
        )?;
        if !check.passed {
            let hint = check.hint.as_deref().unwrap_or_default();
            writeln!(
                out,
                r#"    <failure message="{}">{}</failure>"#,
                escape(&format!("measured {}", check.measured)),
                escape(hint)
            )?;
        }
        writeln!(out, "  </testcase>")?;
    }
    failures(out, &report.measured.total)?;
    writeln!(out, "</testsuite>")
}

/// Lists failed requests by cause, highest count first, as output of the suite: CI servers show it beside the
/// cases.
fn failures(out: &mut String, total: &Requests) -> std::fmt::Result {
    let causes = by_count(&total.failures);
    if causes.is_empty() {
        return Ok(());
    }
    writeln!(out, "  <system-out>{} requests failed:", total.failed())?;
    for (cause, count) in causes {
        let example = total
            .examples
            .get(cause)
            .map(|example| format!(", such as: {example}"));
        writeln!(
            out,
            "{count} {}",
            escape(&format!("{cause}{}", example.unwrap_or_default()))
        )?;
    }
    writeln!(out, "</system-out>")
}

/// Why the run itself counts as an error; `None` for a completed run without doubts.
fn why_not_completed(report: &Report) -> Option<String> {
    if report.verdict == Verdict::Invalid {
        return Some(format!("invalid: {}", report.doubts.join("; ")));
    }
    match &report.measured.end {
        End::Completed => None,
        End::Interrupted => Some("stopped before its end".to_owned()),
        End::Aborted(why) => Some(why.clone()),
    }
}

fn properties(out: &mut String, report: &Report) -> std::fmt::Result {
    let total = &report.measured.total;
    let mut properties = vec![
        ("target", report.target.clone()),
        ("requests", total.due.to_string()),
        ("errors", total.failed().to_string()),
        ("retried", total.retried.to_string()),
    ];
    if let Some(rate) = achieved_rate(report) {
        properties.push(("achieved_rate", format!("{rate:.3}")));
    }
    if let Some(traffic) = &total.traffic {
        properties.push(("statuses", words::statuses(traffic)));
        properties.push(("bytes_sent", traffic.sent_bytes.to_string()));
        properties.push(("bytes_received", traffic.received_bytes.to_string()));
    }
    for note in words::notes(report) {
        properties.push(("note", note));
    }
    for (name, share) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
        if let Some(latency) = total.latency.quantile(share) {
            properties.push((name, format!("{:.6}", latency.as_secs_f64())));
        }
    }
    if !total.latency.is_empty() {
        properties.push(("failed_in_latency", total.failed_latency.count().to_string()));
    }
    if let Some(grade) = &report.grade {
        properties.push(("grade", format!("{:?}", grade.letter)));
    }
    writeln!(out, "  <properties>")?;
    for (name, value) in properties {
        writeln!(out, r#"    <property name="{name}" value="{}"/>"#, escape(&value))?;
    }
    writeln!(out, "  </properties>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{failing, passing};

    #[test]
    fn each_check_is_a_case_and_the_run_itself_one_more() {
        let xml = render(&failing());
        assert!(xml.contains(r#"tests="3" failures="1" errors="0""#), "{xml}");
        assert!(xml.contains(r#"name="errors &lt; 1%">"#), "{xml}");
        assert!(xml.contains(r#"<failure message="measured 10%">"#), "{xml}");
        for property in [
            r#"name="grade" value="D""#,
            r#"name="failed_in_latency" value="10""#,
            r#"name="statuses" value="90 of 200, 10 of 503""#,
            r#"name="bytes_sent" value="1700""#,
            r#"name="bytes_received" value="123000""#,
        ] {
            assert!(xml.contains(&format!("<property {property}/>")), "{xml}");
        }
    }

    #[test]
    fn causes_of_failures_are_told_most_first_with_an_example() {
        let mut report = failing();
        let total = &mut report.measured.total;
        total.fail(
            "TLS: the certificate has expired",
            3,
            Some("not valid after <2021>"),
        );
        let xml = render(&report);
        assert!(
            xml.contains(
                "  <system-out>13 requests failed:\n10 status 503\n3 TLS: the certificate has expired, such as: not valid after &lt;2021&gt;\n</system-out>\n</testsuite>"
            ),
            "{xml}"
        );
        assert!(!render(&passing()).contains("system-out"));
    }

    #[test]
    fn many_requests_that_were_sent_twice_are_told() {
        let mut report = passing();
        report.measured.total.retried = 5;
        let xml = render(&report);
        assert!(xml.contains(r#"<property name="retried" value="5"/>"#), "{xml}");
        assert!(
            xml.contains(r#"<property name="note" value="5 requests (5%) were sent twice"#),
            "{xml}"
        );
    }

    #[test]
    fn an_invalid_run_is_an_error_with_its_doubts() {
        let mut report = passing();
        report.verdict = Verdict::Invalid;
        report.doubts = vec!["it \"stood\" still".to_owned()];
        let xml = render(&report);
        assert!(
            xml.contains(r#"<error message="invalid: it &quot;stood&quot; still"/>"#),
            "{xml}"
        );
    }

    #[test]
    fn no_text_from_outside_can_become_markup() {
        let mut report = passing();
        report.target = "http://h/\"><x>\u{1}&".to_owned();
        let xml = render(&report);
        assert!(
            xml.contains("value=\"http://h/&quot;&gt;&lt;x&gt;\u{fffd}&amp;\""),
            "{xml}"
        );
    }
}
