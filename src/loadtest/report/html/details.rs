//! The tables below the charts.

use super::{
    figures::grouped,
    markup::Markup,
    table::{self, columns},
};
use crate::{
    autoscaling::elasticity::Elasticity,
    model::{cause::by_count, latencies::Latencies, scaling::EventKind},
    report::{Report, words},
    scenario::duration::{self, short},
};

/// Every check in the order of the scenario.
pub(super) fn checks(out: &mut Markup, report: &Report) {
    if report.checks.is_empty() {
        return;
    }
    section(out, "checks", "Checks", |out| {
        table::frame(out, "checks", &columns(["check", "", "measured"]), |out| {
            for check in &report.checks {
                let (class, mark) = if check.passed {
                    ("ok", "\u{2713} holds")
                } else {
                    ("missed", "\u{2715} missed")
                };
                out.element("tr", &[("class", &class)], |out| {
                    out.leaf("th", &[("scope", &"row")], &check.name);
                    out.leaf("td", &[("class", &"mark")], mark);
                    out.leaf("td", &[], &check.measured);
                });
            }
        });
    });
}

/// Requests by step, where there is more than one.
pub(super) fn steps(out: &mut Markup, report: &Report) {
    let steps = &report.measured.steps;
    if steps.len() < 2 {
        return;
    }
    section(out, "steps", "Steps", |out| {
        let names = columns([
            "step",
            "due",
            "answered",
            "failed",
            "sent twice",
            "p50",
            "p95",
            "p99",
            "max",
        ]);
        let rows: Vec<Vec<String>> = steps
            .iter()
            .map(|(name, step)| {
                let mut row = vec![
                    name.clone(),
                    grouped(step.due),
                    grouped(step.answered),
                    grouped(step.failed()),
                    grouped(step.retried),
                ];
                row.extend(quantiles(&step.latency, [0.5, 0.95, 0.99, 1.0]));
                row
            })
            .collect();
        table::write(out, "numbers", &names, &rows);
    });
}

/// Answers by status, and bytes.
pub(super) fn traffic(out: &mut Markup, report: &Report) {
    let Some(traffic) = &report.measured.total.traffic else {
        return;
    };
    section(out, "traffic", "Answers by status", |out| {
        let rows: Vec<Vec<String>> = traffic
            .statuses
            .iter()
            .map(|(status, answers)| vec![status.to_string(), grouped(*answers)])
            .collect();
        if !rows.is_empty() {
            table::write(out, "words", &columns(["status", "answers"]), &rows);
        }
        let volume = words::volume(traffic);
        out.leaf("p", &[("class", &"note")], format_args!("Bodies: {volume}."));
    });
}

/// Failed requests by cause, highest count first.
pub(super) fn failures(out: &mut Markup, report: &Report) {
    let total = &report.measured.total;
    if total.failures.is_empty() {
        return;
    }
    section(out, "failures", "Failures by cause", |out| {
        let rows: Vec<Vec<String>> = by_count(&total.failures)
            .into_iter()
            .map(|(cause, count)| {
                let example = total.examples.get(cause).cloned().unwrap_or_default();
                vec![cause.to_owned(), grouped(count), example]
            })
            .collect();
        table::write(out, "words", &columns(["cause", "requests", "such as"]), &rows);
    });
}

/// Figures of WebSocket connections.
pub(super) fn websocket(out: &mut Markup, report: &Report) {
    let Some(websocket) = &report.measured.websocket else {
        return;
    };
    section(out, "websocket", "WebSocket", |out| {
        out.leaf("p", &[], words::websocket(websocket));
        let rows: Vec<Vec<String>> = words::websocket_latencies(websocket)
            .into_iter()
            .map(|(name, latencies)| {
                let mut row = vec![name.to_owned()];
                row.extend(quantiles(latencies, [0.5, 0.95, 0.99, 1.0]));
                row
            })
            .collect();
        table::write(out, "numbers", &columns(["", "p50", "p95", "p99", "max"]), &rows);
        for (cause, count) in &websocket.failures {
            out.leaf("p", &[], format_args!("{} failed: {cause}", grouped(*count)));
        }
    });
}

/// Events of each workload, without the events of healthy pods: there are too many of those.
pub(super) fn events(out: &mut Markup, report: &Report) {
    for workload in &report.workloads {
        let scaling = &workload.scaling;
        let is_listed = |kind: EventKind| {
            matches!(
                kind,
                EventKind::HpaCondition
                    | EventKind::VpaRecommendation
                    | EventKind::DisruptionRoom
                    | EventKind::PodRefused
                    | EventKind::PodUnready
            )
        };
        let rows: Vec<Vec<String>> = scaling
            .events
            .iter()
            .filter(|event| is_listed(event.kind))
            .map(|event| {
                let kind = words::event(event.kind).to_owned();
                vec![
                    format!("{:.1} s", event.at),
                    kind,
                    event.object.clone(),
                    event.words.clone(),
                ]
            })
            .collect();
        if rows.is_empty() {
            continue;
        }
        section(out, "events", &format!("Events of {}", scaling.target), |out| {
            table::write(out, "words", &columns(["at", "what", "object", "more"]), &rows);
        });
    }
}

/// How well replicas followed the demand.
pub(super) fn elasticity(out: &mut Markup, report: &Report) {
    let known =
        |workload: &crate::report::Workload| Some((workload.scaling.target.clone(), workload.elasticity?));
    let rows: Vec<Vec<String>> = report.workloads.iter().filter_map(known).map(elastic).collect();
    if rows.is_empty() {
        return;
    }
    section(out, "elasticity", "Elasticity", |out| {
        let names = columns([
            "workload",
            "too few: share of the demand",
            "of the time",
            "too many: share of the demand",
            "of the time",
            "moved apart",
            "replica hours",
            "needed",
        ]);
        table::write(out, "numbers", &names, &rows);
        out.leaf(
            "p",
            &[("class", &"note")],
            "SPEC-RG-2016-01; the demand follows from the measured capacity. Lower is better, zero is ideal.",
        );
    });
}

fn elastic((target, figures): (String, Elasticity)) -> Vec<String> {
    let percent = |value: f64| format!("{value:.1}%");
    vec![
        target,
        percent(figures.under_accuracy),
        percent(figures.under_timeshare),
        percent(figures.over_accuracy),
        percent(figures.over_timeshare),
        percent(figures.instability),
        format!("{:.2}", figures.replica_hours),
        format!("{:.2}", figures.demand_hours),
    ]
}

/// Figures of the load generator, which show whether it had enough processors and connections.
pub(super) fn generator(out: &mut Markup, report: &Report) {
    let (measured, generator) = (&report.measured, &report.measured.generator);
    section(out, "generator", "The load generator itself", |out| {
        let share = generator.cpu_share.map(|share| format!("{:.1}%", 100.0 * share));
        let late = measured
            .schedule_error
            .quantile(0.99)
            .map_or("nothing was sent".to_owned(), short);
        let processors = format!(
            "{} of {} (threads that send: {})",
            share.unwrap_or_else(|| "unknown".to_owned()),
            generator.processors,
            generator.threads
        );
        let connections = format!(
            "{}, at most {} of {} at once",
            grouped(generator.connections),
            grouped(generator.connections_peak),
            grouped(generator.connections_limit)
        );
        let rows = [
            ("processors used", processors),
            ("sent later than due (p99)", late),
            ("longest pause", duration(generator.longest_pause)),
            ("connections", connections),
            (
                "requests that waited for one",
                grouped(generator.waited_for_connection),
            ),
            ("requests never sent", grouped(generator.unsent)),
        ]
        .map(|(name, value)| vec![name.to_owned(), value]);
        table::write(out, "words", &columns(["", ""]), &rows);
    });
}

fn duration(seconds: f64) -> String {
    std::time::Duration::try_from_secs_f64(seconds).map_or("unknown".to_owned(), duration::short)
}

fn quantiles<const COUNT: usize>(latencies: &Latencies, shares: [f64; COUNT]) -> [String; COUNT] {
    shares.map(|share| latencies.quantile(share).map_or("\u{2013}".to_owned(), short))
}

fn section(out: &mut Markup, id: &str, title: &str, inside: impl FnOnce(&mut Markup)) {
    out.element("section", &[("aria-label", &title), ("class", &id)], |out| {
        out.leaf("h2", &[], title);
        inside(out);
    });
}
