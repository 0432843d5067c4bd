//! The summary at the end: the time of each step, and the findings.

use std::fmt::Write as _;

use crate::{
    chain::{Cause, Chain},
    findings::{self, Finding},
    judgement::{Court, Judgement},
    oracle::Moment,
    record::Record,
    story::CARRYING_PODS,
    terminal::{self, Look, Terminal},
    users,
    workload::Workload,
};
use support::audit;

/// Columns for the text of a finding.
const WIDTH: usize = 106;
/// Most lines of details that are shown of one finding.
const DETAILS: usize = 12;

/// Judges, writes the summary, and returns whether all checks passed.
pub(crate) async fn write(terminal: Terminal, court: &Court<'_>) -> bool {
    let requests = audit::requests(&court.stage.cluster);
    let gateway = court.judge(Workload::Gateway, &requests).await;
    let worker = court.judge(Workload::Worker, &requests).await;
    let record = court.record.lock();
    let story = court.story;
    write_chains(terminal, &chains(&record, court, &gateway, &worker));
    write_users(terminal, &story.users);
    let gateways = record.workloads.get(&Workload::Gateway);
    let scale = gateways.map(|seen| seen.scale.clone()).unwrap_or_default();
    let findings = [
        users::while_scaling(court.clock, &story.users, &scale, CARRYING_PODS),
        users::unharmed(&story.users),
        findings::replicas(&gateway, story.began),
        findings::replicas(&worker, story.began),
        findings::decided(&gateway, "request-rate"),
        findings::decided(&worker, "queue-depth"),
        findings::decided(&worker, "queue-age"),
        findings::held(&record, story, gateway.without_prometheus),
        findings::ended(&record, story),
        findings::writers(court.clock, &requests, story.began),
    ];
    write_findings(terminal, &findings);
    findings.iter().all(|finding| finding.passed)
}

fn chains(
    record: &Record,
    court: &Court<'_>,
    gateway: &Judgement,
    worker: &Judgement,
) -> [(&'static str, Chain); 3] {
    let story = court.story;
    let rate = Cause {
        workload: Workload::Gateway,
        at: story.ramp,
        ratio: |values, _| Some(values.rate? / 100.0),
    };
    let depth = Cause {
        workload: Workload::Worker,
        at: story.burst,
        ratio: |values, scale| Some(values.depth? / 50.0 / f64::from(scale.status.max(1))),
    };
    let age = Cause {
        workload: Workload::Worker,
        at: too_old(record, story.burst).unwrap_or(story.ended),
        ratio: |values, _| Some(values.age? / 60.0),
    };
    [
        ("request ramp", Chain::of(record, &gateway.syncs, rate)),
        ("queue depth", Chain::of(record, &worker.syncs, depth)),
        ("queue age", Chain::of(record, &worker.syncs, age)),
    ]
}

/// Moment at which the oldest job grew older than the HPA tolerates: 1.1 times 60 s.
fn too_old(record: &Record, since: Moment) -> Option<Moment> {
    let mut points = record.offered.points();
    points
        .find(|(at, offered)| *at > since && offered.oldest_job_seconds > 66.0)
        .map(|(at, _)| at)
}

fn write_chains(terminal: Terminal, chains: &[(&str, Chain)]) {
    let mut title = format!("{:<36}", "seconds after the load changed");
    for (name, _) in chains {
        let _ = write!(title, "{name:>16}");
    }
    terminal::line("");
    terminal::line(&terminal.paint(Look::Bold, &title));
    for (index, name) in Chain::STEPS.iter().enumerate() {
        let mut line = format!("  {name:<34}");
        for (_, chain) in chains {
            let moment = chain.moments()[index].map_or_else(|| "–".to_owned(), |at| format!("{at:.1}"));
            let _ = write!(line, "{moment:>16}");
        }
        terminal::line(&line);
    }
}

fn write_users(terminal: Terminal, seen: &[users::Seen]) {
    terminal::line("");
    for (index, line) in users::table(seen).iter().enumerate() {
        let look = if index == 0 { Look::Bold } else { Look::Plain };
        terminal::line(&terminal.paint(look, line));
    }
}

fn write_findings(terminal: Terminal, findings: &[Finding]) {
    terminal::line("");
    for finding in findings {
        let (look, mark) = if finding.passed {
            (Look::Green, "✓")
        } else {
            (Look::Red, "✗")
        };
        for (index, line) in terminal::wrap(&finding.text, WIDTH).iter().enumerate() {
            let mark = if index == 0 { mark } else { " " };
            terminal::line(&format!("{} {line}", terminal.paint(look, mark)));
        }
        for detail in finding.details.iter().take(DETAILS) {
            terminal::line(&terminal.paint(Look::Red, &format!("    {detail}")));
        }
    }
}
