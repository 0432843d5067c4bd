//! A run as text for a terminal, printed at its end.

mod cluster;
mod websocket;

use std::{fmt::Write as _, time::Duration};

use super::{Report, Verdict, words};
use crate::{
    model::{
        cause::by_count,
        latencies::{Latencies, Quantiles},
        measured::{Requests, ratio},
    },
    scenario::{duration, threshold::in_percent},
};

/// Most causes of failures that are listed.
const CAUSES: usize = 8;

/// The report as text, without colours.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut text, report);
    text
}

fn write_all(out: &mut String, report: &Report) -> std::fmt::Result {
    headline(out, report)?;
    for doubt in &report.doubts {
        writeln!(out, "  ! {doubt}")?;
    }
    for note in words::notes(report) {
        writeln!(out, "  ! {note}")?;
    }
    writeln!(out)?;
    volume(out, report)?;
    latencies(out, &report.measured.total)?;
    steps(out, report)?;
    failures(out, &report.measured.total)?;
    websocket::websocket(out, report)?;
    cluster::workloads(out, report)?;
    checks(out, report)?;
    grade(out, report)
}

fn headline(out: &mut String, report: &Report) -> std::fmt::Result {
    let verdict = match report.verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "FAIL",
        Verdict::Invalid => "INVALID: the load generator made this result, not the service",
    };
    writeln!(out, "{verdict}  {} on {}", report.name, report.target)?;
    match words::end(report) {
        None => Ok(()),
        Some(end) => writeln!(out, "  {end}"),
    }
}

fn volume(out: &mut String, report: &Report) -> std::fmt::Result {
    let (measured, total) = (&report.measured, &report.measured.total);
    let errors = total.error_share().map_or("none ended".to_owned(), in_percent);
    writeln!(
        out,
        "  requests  {} due, {} answered{}, {} failed ({errors}) in {}: {}",
        total.due,
        total.answered,
        words::after_the_load(total),
        total.failed(),
        duration::format(measured.elapsed),
        words::achieved(report),
    )?;
    if let Some(traffic) = &total.traffic {
        let (statuses, volume) = (words::statuses(traffic), words::volume(traffic));
        writeln!(out, "  answers   {statuses}; bodies {volume}")?;
    }
    if total.retried > 0 {
        let share = total.retried_share().map_or("none ended".to_owned(), in_percent);
        writeln!(out, "  retried   {} sent twice ({share})", total.retried)?;
    }
    let generator = &measured.generator;
    let cpu = generator.cpu_seconds.map_or("unknown".to_owned(), |cpu| {
        let micros = 1e6 * cpu / ratio(total.due.max(1), 1);
        format!("{cpu:.2} s of processors, {micros:.0} us a request")
    });
    writeln!(
        out,
        "  generator {cpu}; {} connections, at most {} at once; sent {} late (p99)",
        generator.connections,
        generator.connections_peak,
        shown(measured.schedule_error.quantile(0.99)),
    )
}

fn latencies(out: &mut String, total: &Requests) -> std::fmt::Result {
    writeln!(
        out,
        "\n  {:<28} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "p50", "p90", "p95", "p99", "p99.9", "max", "failed"
    )?;
    let failed = Some(total.failed_latency.count());
    row(out, "latency, from when it was due", &total.latency, failed)?;
    row(out, "service time, from the send", &total.service_time, failed)
}

/// One row of quantiles. `failed` is how many of the durations belong to failed requests; `None` leaves it
/// out.
fn row(out: &mut String, name: &str, latencies: &Latencies, failed: Option<u64>) -> std::fmt::Result {
    let Some(Quantiles {
        p50,
        p90,
        p95,
        p99,
        p999,
        max,
    }) = latencies.quantiles()
    else {
        return writeln!(out, "  {name:<29} no answer");
    };
    write!(out, "  {name:<28}")?;
    for quantile in [p50, p90, p95, p99, p999, max] {
        write!(out, " {:>9}", shown(Some(quantile)))?;
    }
    match failed {
        Some(failed) => writeln!(out, " {failed:>9}"),
        None => writeln!(out),
    }
}

fn steps(out: &mut String, report: &Report) -> std::fmt::Result {
    if report.measured.steps.len() < 2 {
        return Ok(());
    }
    writeln!(
        out,
        "\n  {:<28} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "step", "due", "failed", "p50", "p95", "p99"
    )?;
    for (name, step) in &report.measured.steps {
        let quantile = |share| shown(step.latency.quantile(share));
        writeln!(
            out,
            "  {name:<28} {:>9} {:>9} {:>9} {:>9} {:>9}",
            step.due,
            step.failed(),
            quantile(0.5),
            quantile(0.95),
            quantile(0.99)
        )?;
    }
    Ok(())
}

fn failures(out: &mut String, total: &Requests) -> std::fmt::Result {
    if total.failures.is_empty() {
        return Ok(());
    }
    let causes = by_count(&total.failures);
    writeln!(out, "\n  failures")?;
    for (cause, count) in causes.iter().take(CAUSES) {
        writeln!(out, "  {count:>9}  {cause}")?;
        if let Some(example) = total.examples.get(*cause) {
            writeln!(out, "             such as: {example}")?;
        }
    }
    match causes.len().saturating_sub(CAUSES) {
        0 => Ok(()),
        more => writeln!(out, "             and {more} other causes"),
    }
}

fn checks(out: &mut String, report: &Report) -> std::fmt::Result {
    if report.checks.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  checks")?;
    for check in &report.checks {
        let mark = if check.passed { "ok  " } else { "FAIL" };
        writeln!(out, "  {mark} {:<40} {}", check.name, check.measured)?;
    }
    Ok(())
}

fn grade(out: &mut String, report: &Report) -> std::fmt::Result {
    let Some(grade) = &report.grade else {
        return Ok(());
    };
    writeln!(
        out,
        "\n  grade {:?}, {:.0} of 100 points",
        grade.letter, grade.points
    )?;
    for lost in &grade.lost {
        writeln!(out, "  -{:<4.0} {}", lost.points, lost.cause)?;
        if !lost.hint.is_empty() {
            writeln!(out, "        {}", lost.hint)?;
        }
    }
    Ok(())
}

/// A duration with three digits; `-` for `None`.
pub(super) fn shown(duration: Option<Duration>) -> String {
    duration.map_or("-".to_owned(), duration::short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        example,
        testing::{failing, passing},
    };

    #[test]
    fn what_was_seen_of_the_cluster_and_of_connections_has_lines_of_its_own() {
        let mut report = example::autoscaling();
        report.measured.websocket = Some(example::websockets());
        let text = render(&report);
        for line in [
            "  websocket  50 connected, 48 held to their end, 2 failed, at most 48 held at once; 1200 messages sent, 1198 received, 2 unanswered",
            "          2  status 503",
            "  deployment/api-gateway, HPA voiceassist-api-gateway in voiceassist-staging",
            "  replicas   2 to 10 Ready, bounds 2 to 10",
            "  scale-up   2 to 4 replicas, Ready 36.2 s after the load step; slowest: pods Ready 17.2 s",
            "  scale-up   8 to 10 replicas, Ready 66.8 s after the load step; slowest: p95 under its objective 24.2 s",
            "  elasticity too few 12.5% of the time (7.4% of the demand), too many 18.3% (31.2%), moved apart 2.1%; 1.09 replica hours, 0.97 needed",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        let echo = text
            .lines()
            .find(|line| line.contains("message to its echo"))
            .unwrap();
        assert!(echo.contains("1.39ms") && echo.contains("1.89ms"), "{echo}");
        let alone = render(&passing());
        assert!(
            !alone.contains("websocket") && !alone.contains("replicas"),
            "{alone}"
        );
    }

    #[test]
    fn it_leads_with_the_verdict_and_shows_both_latencies() {
        let text = render(&passing());
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("PASS  load on http://127.0.0.1:8080"));
        assert!(
            text.contains("100 due, 100 answered, 0 failed (0%) in 10s: 10.0 answered/s"),
            "{text}"
        );
        let latency = text
            .lines()
            .find(|line| line.contains("from when it was due"))
            .unwrap();
        let service = text.lines().find(|line| line.contains("from the send")).unwrap();
        assert!(latency.contains("500ms") && service.contains("250ms"), "{text}");
        assert!(text.contains("ok   latency p90 < 2s"), "{text}");
        assert!(text.ends_with("grade A, 100 of 100 points\n"), "{text}");
    }

    #[test]
    fn statuses_and_bytes_are_told_where_they_were_counted() {
        let text = render(&failing());
        assert!(
            text.contains("\n  answers   90 of 200, 10 of 503; bodies 1.70 kB sent, 123 kB received\n"),
            "{text}"
        );
        let mut old = failing();
        old.measured.total.traffic = None;
        assert!(!render(&old).contains("answers  "), "{text}");
    }

    #[test]
    fn answers_that_are_all_redirects_are_told_under_the_verdict() {
        let mut report = passing();
        let traffic = report.measured.total.traffic.get_or_insert_default();
        traffic.statuses = [(302, 100)].into();
        let text = render(&report);
        let note = "  ! all 100 answers are redirects (100 of 302): what is measured is the redirect";
        assert!(
            text.lines().nth(1).is_some_and(|line| line.starts_with(note)),
            "{text}"
        );
    }

    #[test]
    fn redirects_that_were_followed_to_no_answer_are_no_redirects_to_follow() {
        let mut report = failing();
        let total = &mut report.measured.total;
        total.traffic.get_or_insert_default().statuses = [(302, 100)].into();
        total.answered = 0;
        for (cause, told) in [
            ("cannot connect: connection refused", false),
            ("status 302", true),
            ("check: no \"ok\" in the body", true),
        ] {
            report.measured.total.failures = [(cause.to_owned(), 100)].into();
            assert_eq!(render(&report).contains("--follow"), told, "{cause}");
        }
    }

    #[test]
    fn what_went_wrong_is_named_by_cause_check_and_lost_points() {
        let text = render(&failing());
        assert!(text.starts_with("FAIL  load on"), "{text}");
        assert!(text.contains("       10  status 503"), "{text}");
        let latency = text
            .lines()
            .find(|line| line.contains("from when it was due"))
            .unwrap();
        assert!(latency.ends_with(" 10"), "so many of them failed: {latency}");
        assert!(text.contains("FAIL errors < 1%"), "{text}");
        assert!(text.contains("grade D, 50 of 100 points"), "{text}");
        assert!(text.contains("-50   errors < 1%: 10%"), "{text}");
    }

    #[test]
    fn requests_that_were_sent_twice_are_counted_and_many_of_them_are_a_remark() {
        let mut report = passing();
        report.measured.total.retried = 1;
        let text = render(&report);
        assert!(text.contains("\n  retried   1 sent twice (1%)\n"), "{text}");
        assert!(!text.contains("  ! "), "{text}");
        report.measured.total.retried = 2;
        let text = render(&report);
        assert!(
            text.contains("\n  ! 2 requests (2%) were sent twice, because the server ended idle connections"),
            "{text}"
        );
        assert!(!render(&passing()).contains("retried"));
    }

    #[test]
    fn an_invalid_run_says_why_and_has_no_grade() {
        let mut report = passing();
        report.verdict = Verdict::Invalid;
        report.doubts = vec!["the load generator stood still".to_owned()];
        report.grade = None;
        let text = render(&report);
        assert!(text.starts_with("INVALID"), "{text}");
        assert!(text.contains("\n  ! the load generator stood still\n"), "{text}");
        assert!(!text.contains("grade"), "{text}");
    }

    #[test]
    fn a_step_that_nobody_answered_has_no_latency_not_one_of_zero() {
        assert_eq!(shown(None), "-");
        let mut report = passing();
        report.measured.total.latency.clear();
        let text = render(&report);
        assert!(text.contains("from when it was due no answer"), "{text}");
    }
}
