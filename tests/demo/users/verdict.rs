//! What users experienced, as a table, and the checks of it.
//!
//! A run that `vas test` has doubts about may have measured a busy machine: a generator that stood still
//! sends requests late, and then in bunches that no queue can hold. In such a run a passed check counts, and
//! a failed one is only reported.

use super::{Part, Report, Seen};
use crate::{
    clock::Clock,
    findings::Finding,
    oracle::{Moment, Track},
    record::Scale,
    terminal::wrap,
};

/// Latency in seconds above which a user waits: the objective of the seed.
const OBJECTIVE: f64 = 0.5;
/// Columns for the text of a doubt.
const WIDTH: usize = 106;
/// How long after enough pods were seen Ready a request may still fail, in seconds: one second of the report,
/// one until the load model sees the pods too, and some while the queue is still full, because requests come
/// in bunches on a busy machine.
const BLUR: Moment = 4.0;

/// A header and a line for each part, then the doubts of `vas test`.
pub(crate) fn table(seen: &[Seen]) -> Vec<String> {
    let head = format!(
        "{:<34}{:>10}{:>16}{:>10}{:>10}{:>10}",
        "what users saw (vas test run)", "requests", "failed", "p50", "p95", "longest"
    );
    let line = |seen: &Seen| {
        let summary = &seen.report.summary;
        let failed = match summary.errors {
            0 => "0".to_owned(),
            errors => format!("{errors} ({:.0}%)", percent(errors, summary.requests)),
        };
        let [p50, p95, max] = summary.latency.map_or_else(
            || ["–"; 3].map(str::to_owned),
            |latency| [latency.p50, latency.p95, latency.max].map(milliseconds),
        );
        let name = seen.part.name();
        format!(
            "  {name:<32}{:>10}{failed:>16}{p50:>10}{p95:>10}{max:>10}",
            summary.requests
        )
    };
    let doubted = seen.iter().filter(|seen| !seen.report.doubts.is_empty());
    let doubt = |seen: &Seen| {
        let text = format!(
            "{}: vas test doubts it: {}",
            seen.part.name(),
            doubts(&seen.report)
        );
        let lines = wrap(&text, WIDTH).into_iter();
        lines.map(|line| format!("  {line}")).collect::<Vec<_>>()
    };
    std::iter::once(head)
        .chain(seen.iter().map(line))
        .chain(doubted.flat_map(doubt))
        .collect()
}

/// Checks the parts other than the ramp: there were enough pods, so nobody may have failed or waited.
pub(crate) fn unharmed(seen: &[Seen]) -> Finding {
    let calm: Vec<&Seen> = seen.iter().filter(|seen| seen.part != Part::Ramp).collect();
    let mut details = Vec::new();
    let mut unproven = "";
    for seen in &calm {
        let (name, report) = (seen.part.name(), &seen.report);
        if report.summary.errors > 0 && report.doubts.is_empty() {
            details.push(format!("{name}: {} requests failed", report.summary.errors));
        }
        for check in report.checks.iter().filter(|check| !check.passed) {
            if report.doubts.is_empty() {
                details.push(format!("{name}: {} was {}", check.name, check.measured));
            } else {
                unproven = "; this machine was too busy to judge what is missed";
            }
        }
    }
    if calm.len() != 3 || calm.iter().any(|seen| seen.report.checks.is_empty()) {
        details.push("a part of the story has no report, or one without checks".to_owned());
    }
    let requests: u64 = calm.iter().map(|seen| seen.report.summary.requests).sum();
    let errors: u64 = calm.iter().map(|seen| seen.report.summary.errors).sum();
    Finding::new(
        format!(
            "users: {errors} of {requests} requests failed before the ramp, at the peak with nine pods (also without Prometheus), and while replicas fell{unproven}"
        ),
        details,
    )
}

/// Checks the ramp, which is more than the pods can carry at first: nobody failed any more once `pods` pods
/// were Ready, which are enough for the peak.
pub(crate) fn while_scaling(clock: Clock, seen: &[Seen], scale: &Track<Scale>, pods: i32) -> Finding {
    let Some(ramp) = seen.iter().find(|seen| seen.part == Part::Ramp) else {
        return Finding::new("users: the ramp".to_owned(), vec!["has no report".to_owned()]);
    };
    let report = &ramp.report;
    let began = clock.of(report.run.began);
    let relieved = scale
        .points()
        .find(|(at, scale)| *at > began && scale.ready >= pods)
        .map(|(at, _)| at - began);
    let end_of = |second: u32| f64::from(second) + 1.0;
    let failing = report.seconds.iter().rev().find(|second| second.errors > 0);
    let waiting = report
        .seconds
        .iter()
        .rev()
        .find(|second| second.latency.is_some_and(|latency| latency.p95 > OBJECTIVE));
    let [failing, waiting] = [failing, waiting].map(|second| second.map(|second| end_of(second.at)));
    let mut details = Vec::new();
    if failing.is_none() {
        details.push("nobody failed: three pods were never overloaded".to_owned());
    }
    match (failing, relieved) {
        (_, None) => details.push(format!("{pods} pods were never Ready")),
        (Some(failing), Some(relieved)) if failing > relieved + BLUR && report.doubts.is_empty() => details.push(format!(
            "requests failed until {failing:.0} s after the ramp began, though {pods} pods were Ready at {relieved:.0} s"
        )),
        _ => {}
    }
    let seconds = |moment: Option<Moment>| moment.map_or_else(|| "–".to_owned(), |at| format!("{at:.0}"));
    Finding::new(
        format!(
            "users: three pods were too few for the ramp; {pods} were Ready after {} s, the last request failed after {} s, and p95 was within {} ms again after {} s",
            seconds(relieved),
            seconds(failing),
            OBJECTIVE * 1000.0,
            seconds(waiting)
        ),
        details,
    )
}

/// The doubts of `vas test`, without its advice.
fn doubts(report: &Report) -> String {
    let first = |doubt: &String| doubt.split([':', ';']).next().unwrap_or_default().to_owned();
    report.doubts.iter().map(first).collect::<Vec<_>>().join("; ")
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few minutes, to be shown")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

fn milliseconds(seconds: f64) -> String {
    if seconds < 0.1 {
        format!("{:.1} ms", seconds * 1000.0)
    } else {
        format!("{:.0} ms", seconds * 1000.0)
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
