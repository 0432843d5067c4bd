//! The part of the live page that shows a run so far: figures, the charts of the report, and failures.

use super::{
    chart::plain,
    details,
    figures::{self, Tile, grouped, tile},
    markup::Markup,
    over_time,
    timeline::Timeline,
};
use crate::{
    model::measured::Second,
    report::Report,
    scenario::{
        duration::{self, short},
        threshold::in_percent,
    },
};

/// The run so far as markup. Its verdict and whatever is known only at its end are not shown.
pub(crate) fn render(report: &Report) -> String {
    let mut out = Markup::default();
    out.own(super::MARKS);
    figures::section(&mut out, tiles(report));
    over_time::charts(&mut out, &Timeline::new(report));
    details::failures(&mut out, report);
    out.finish()
}

/// The last second, and what was counted since the run began.
fn tiles(report: &Report) -> Vec<Tile> {
    let measured = &report.measured;
    let nothing = Second::default();
    let last = measured.seconds.last().unwrap_or(&nothing);
    let total = &measured.total;
    let latency = last.latency;
    let mut tiles = vec![
        tile(
            "Time",
            duration::format(measured.elapsed),
            format!("of {}", duration::format(measured.planned)),
        ),
        tile(
            "Answered",
            format!("{}/s", last.answered),
            format!("{} due; {} in all", last.due, grouped(total.answered)),
        ),
        tile(
            "Failed",
            format!("{}/s", last.failed),
            total.error_share().map_or("none ended".to_owned(), |share| {
                format!("{} in all, {}", grouped(total.failed()), in_percent(share))
            }),
        )
        .marked(last.failed > 0),
        tile(
            "Latency p95",
            latency.map_or("no answer".to_owned(), |latency| short(latency.p95)),
            latency.map_or(String::new(), |latency| {
                format!("p50 {}, p99 {}", short(latency.p50), short(latency.p99))
            }),
        )
        .marked(
            latency
                .zip(report.objective)
                .is_some_and(|(latency, objective)| latency.p95 >= objective),
        ),
        tile(
            if report.load_unit == "users" {
                "Users"
            } else {
                "Under way"
            },
            last.concurrency.to_string(),
            format!("planned peak {} {}", plain(report.load.peak()), report.load_unit),
        ),
    ];
    for workload in &report.workloads {
        let scaling = &workload.scaling;
        if let Some(now) = scaling.replicas.last() {
            tiles.push(tile(
                "Ready replicas",
                now.ready.to_string(),
                format!("{} wanted, {}", now.desired, scaling.target),
            ));
        }
    }
    tiles
}
