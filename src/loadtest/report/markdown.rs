//! A run as Markdown for a pull request.

use std::fmt::Write as _;

use super::{Report, Verdict, Workload, text::shown, words};
use crate::{
    model::{
        cause::by_count,
        latencies::{Latencies, Quantiles},
        measured::Requests,
    },
    scenario::{duration, threshold::in_percent},
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
        "{} requests in {} on {}, {}{}, {} failed ({}).\n",
        total.due,
        duration::format(report.measured.elapsed),
        cell(&report.target),
        words::achieved(report),
        words::after_the_load(total),
        total.failed(),
        total.error_share().map_or("none ended".to_owned(), in_percent),
    )?;
    if let Some(traffic) = &total.traffic {
        let (statuses, volume) = (words::statuses(traffic), words::volume(traffic));
        writeln!(out, "Answers: {statuses}; bodies {volume}.\n")?;
    }
    if let Some(share) = total.retried_share().filter(|_| total.retried > 0) {
        writeln!(
            out,
            "{} were sent twice ({}).\n",
            total.retried,
            in_percent(share)
        )?;
    }
    for note in report.doubts.iter().chain(&words::notes(report)) {
        writeln!(out, "> {}\n", cell(note))?;
    }
    writeln!(
        out,
        "| | p50 | p90 | p95 | p99 | p99.9 | max | of them failed |\n|---|---|---|---|---|---|---|---|"
    )?;
    let failed = Some(total.failed_latency.count());
    row(out, "latency, from when it was due", &total.latency, failed)?;
    row(out, "service time, from the send", &total.service_time, failed)?;
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
    failures(out, &report.measured.total)?;
    websocket(out, report)?;
    cluster(out, report)?;
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

/// A table of failed requests by cause, highest count first.
fn failures(out: &mut String, total: &Requests) -> std::fmt::Result {
    let causes = by_count(&total.failures);
    if !causes.is_empty() {
        writeln!(out, "\n| failed | cause | such as |\n|---|---|---|")?;
    }
    for (cause, count) in causes {
        let example = total.examples.get(cause).map_or("", String::as_str);
        writeln!(out, "| {count} | {} | {} |", cell(cause), cell(example))?;
    }
    Ok(())
}

/// Figures of WebSocket connections; nothing for a scenario without any.
fn websocket(out: &mut String, report: &Report) -> std::fmt::Result {
    let Some(websocket) = &report.measured.websocket else {
        return Ok(());
    };
    writeln!(out, "\n**WebSocket**: {}.", words::websocket(websocket))?;
    let measured = words::websocket_latencies(websocket);
    let measured = measured
        .into_iter()
        .filter(|(_, latencies)| !latencies.is_empty());
    for (index, (name, latencies)) in measured.enumerate() {
        if index == 0 {
            writeln!(
                out,
                "\n| | p50 | p90 | p95 | p99 | p99.9 | max |\n|---|---|---|---|---|---|---|"
            )?;
        }
        row(out, name, latencies, None)?;
    }
    for (index, (cause, count)) in websocket.failures.iter().enumerate() {
        if index == 0 {
            writeln!(out)?;
        }
        writeln!(out, "- {count} failed: {}", cell(cause))?;
    }
    Ok(())
}

/// Replicas and scale-ups of each workload; nothing where the cluster was not watched.
fn cluster(out: &mut String, report: &Report) -> std::fmt::Result {
    for Workload {
        scaling,
        chains,
        elasticity,
    } in &report.workloads
    {
        writeln!(
            out,
            "\n**{}**: {}.",
            cell(&scaling.target),
            words::replicas(scaling)
        )?;
        if let Some(figures) = elasticity {
            writeln!(out, "Elasticity: {}.", words::elasticity(figures))?;
        }
        if !chains.is_empty() {
            writeln!(out, "\n| scale-up | slowest | what to change |\n|---|---|---|")?;
        }
        for chain in chains {
            let slowest = words::slowest(chain).unwrap_or_else(|| "not seen".to_owned());
            let hint = chain.hint.as_deref().unwrap_or_default();
            writeln!(out, "| {} | {slowest} | {} |", words::chain(chain), cell(hint))?;
        }
    }
    Ok(())
}

/// One row of quantiles. `failed` is how many of the durations belong to failed requests; `None` leaves the
/// cell out.
fn row(out: &mut String, name: &str, latencies: &Latencies, failed: Option<u64>) -> std::fmt::Result {
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
    match failed {
        Some(failed) => writeln!(out, " {failed} |"),
        None => writeln!(out),
    }
}

/// Escapes text so that it stays in its table cell and is no markup.
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
    use crate::report::{
        example,
        testing::{failing, passing},
    };

    #[test]
    fn a_scale_up_is_a_row_with_its_slowest_link_and_what_to_change() {
        let mut report = example::autoscaling();
        report.workloads[0].chains[0].hint = Some("a | b".to_owned());
        let text = render(&report);
        assert!(
            text.contains("\n**deployment/api-gateway**: 2 to 10 Ready, bounds 2 to 10.\n"),
            "{text}"
        );
        assert!(text.contains("Elasticity: too few 12.5% of the time"), "{text}");
        assert!(
            text.contains(
                "\n| 2 to 4 replicas, Ready 36.2 s after the load step | pods Ready 17.2 s | a \\| b |\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn it_has_the_verdict_both_latencies_and_every_check() {
        let text = render(&failing());
        assert!(text.starts_with("### vas test load: failed, grade D\n"), "{text}");
        assert!(
            text.contains("\nAnswers: 90 of 200, 10 of 503; bodies 1.70 kB sent, 123 kB received.\n"),
            "{text}"
        );
        assert!(
            text.contains("| latency, from when it was due | 500ms |"),
            "{text}"
        );
        assert!(
            text.contains(" | of them failed |\n") && text.contains(" | 3.00s | 10 |\n"),
            "{text}"
        );
        assert!(text.contains("| **missed** | errors \\< 1% | 10% |"), "{text}");
    }

    #[test]
    fn causes_of_failures_are_rows_with_an_example_that_stays_in_its_cell() {
        let mut report = failing();
        let example = "too many pings\n| of <b>client</b> 7";
        let total = &mut report.measured.total;
        total.fail("HTTP/2: GOAWAY ENHANCE_YOUR_CALM", 3, Some(example));
        let text = render(&report);
        assert!(
            text.contains(
                "\n| failed | cause | such as |\n|---|---|---|\n| 10 | status 503 |  |\n| 3 | HTTP/2: GOAWAY ENHANCE\\_YOUR\\_CALM | too many pings \\| of \\<b\\>client\\</b\\> 7 |\n"
            ),
            "{text}"
        );
        assert!(!render(&passing()).contains("| failed |"), "{text}");
    }

    #[test]
    fn websockets_have_their_counts_durations_and_causes() {
        let mut report = passing();
        assert!(!render(&report).contains("WebSocket"));
        report.measured.websocket = Some(example::websockets());
        let text = render(&report);
        for words in [
            "\n**WebSocket**: 50 connected, 48 held to their end, 2 failed,",
            "\n| message to its echo | 1",
            "\n| ping to its pong |",
            "\n- 2 failed: status 503\n",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }

    #[test]
    fn requests_that_were_sent_twice_are_told() {
        let mut report = passing();
        report.measured.total.retried = 5;
        let text = render(&report);
        assert!(text.contains("\n5 were sent twice (5%).\n"), "{text}");
        assert!(text.contains("\n> 5 requests (5%) were sent twice"), "{text}");
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
