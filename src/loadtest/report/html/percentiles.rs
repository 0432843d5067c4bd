//! Latency and service time by percentile: a table, and a chart that stretches the slow end.

use super::{
    chart::{Panel, Series, Shape, draw, seconds},
    figures::grouped,
    markup::Markup,
    scale::Scale,
    table,
    timeline::Axis,
};
use crate::{
    model::latencies::Latencies,
    report::Report,
    scenario::duration::{self, short},
};

/// Percentiles of the table.
const SHARES: [(&str, f64); 8] = [
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
    ("max", 1.0),
];
/// Points of the chart between 0 % and 90 %, between 90 % and 99 %, and so on.
const POINTS: u32 = 24;

/// Writes the section; nothing for a run without an answer.
pub(super) fn write(out: &mut Markup, report: &Report) {
    let total = &report.measured.total;
    if total.latency.is_empty() {
        return;
    }
    out.element("section", &[("aria-labelledby", &"latency")], |out| {
        out.leaf("h2", &[("id", &"latency")], "Latency by percentile");
        let mut columns = vec![String::new()];
        columns.extend(SHARES.map(|(name, _)| name.to_owned()));
        columns.push("of them failed".to_owned());
        let row = |name: &str, latencies: &Latencies| {
            let mut row = vec![name.to_owned()];
            row.extend(SHARES.map(|(_, share)| {
                // A p99.9 of 500 requests would be their maximum, so it is not shown.
                let known = share >= 1.0 || enough(latencies, share);
                latencies
                    .quantile(share)
                    .filter(|_| known)
                    .map_or("\u{2013}".to_owned(), short)
            }));
            row.push(grouped(total.failed_latency.count()));
            row
        };
        let rows = [
            row("latency, from when it was due", &total.latency),
            row("service time, from the send", &total.service_time),
        ];
        table::write(out, "numbers", &columns, &rows);
        picture(out, report);
        out.leaf(
            "p",
            &[("class", &"note")],
            "Where latency is above the service time, requests waited before they could be sent.",
        );
    });
}

/// Whether enough requests were measured to have one beyond that share: a p99.9 needs 1000.
fn enough(latencies: &Latencies, share: f64) -> bool {
    crate::model::measured::ratio(latencies.count(), 1) * (1.0 - share) >= 1.0 - 1e-9
}

fn picture(out: &mut Markup, report: &Report) {
    let total = &report.measured.total;
    // The chart ends at as many nines as there are requests for: 1000 requests end at 99.9 %.
    let decades = (1..=5)
        .rev()
        .find(|nines| enough(&total.latency, 1.0 - 0.1_f64.powi(*nines)));
    let Some(decades) = decades else {
        return;
    };
    let decades = decades.unsigned_abs();
    let curve = |latencies: &Latencies| -> Vec<Option<(f64, f64)>> {
        let point = |step: u32| {
            let place = f64::from(step) / f64::from(POINTS);
            // Place 1 is 90 %, place 2 is 99 %, place 3 is 99.9 %.
            let share = 1.0 - 0.1_f64.powf(place);
            Some((place, latencies.quantile(share)?.as_secs_f64()))
        };
        (0..=decades * POINTS).map(point).collect()
    };
    let (latency, service) = (curve(&total.latency), curve(&total.service_time));
    let objective = report.objective;
    let values = latency.iter().chain(&service).flatten().map(|point| point.1);
    let scale = Scale::of(
        values.chain(objective.map(|objective| objective.as_secs_f64())),
        4.0,
    );
    let mut series = vec![
        Series {
            name: "service time".to_owned(),
            style: "service",
            shape: Shape::Line(service),
        },
        Series {
            name: "latency".to_owned(),
            style: "p95",
            shape: Shape::Line(latency),
        },
    ];
    if let Some(objective) = objective {
        series.push(Series {
            name: format!("objective of the p95, {}", duration::format(objective)),
            style: "objective",
            shape: Shape::Rule(objective.as_secs_f64()),
        });
    }
    let panel = Panel {
        title: "By percentile".to_owned(),
        note: if scale.is_log() { "log scale" } else { "" }.to_owned(),
        scale,
        label: seconds,
        size: "tall",
        series,
        summary: "Latency and service time by percentile; the table above has the figures".to_owned(),
    };
    out.element("div", &[("class", &"timeline still")], |out| {
        draw(out, &panel, Axis::nines(decades));
        out.element("div", &[("class", &"ticks"), ("aria-hidden", &"true")], |out| {
            let names = ["0%", "90%", "99%", "99.9%", "99.99%", "99.999%"];
            for (name, nines) in names.into_iter().zip(0..=decades) {
                let style = format!("left:{:.2}%", 100.0 * f64::from(nines) / f64::from(decades));
                out.leaf("span", &[("style", &style)], name);
            }
        });
    });
}
