//! The chart of latency, counted from the moment requests were due, with the line of the objective.

use std::time::Duration;

use super::{Panel, Series, Shape, plain};
use crate::{
    model::latencies::Quantiles,
    report::html::{buckets::Bucket, scale::Scale, timeline::Timeline},
    scenario::duration,
};

/// The panel; `None` without an answer.
pub(super) fn panel(timeline: &Timeline) -> Option<Panel> {
    let buckets = &timeline.buckets;
    let worst = buckets
        .iter()
        .filter_map(|bucket| bucket.latency)
        .map(|latency| latency.p95);
    let worst = worst.max()?;
    let objective = timeline.report.objective;
    let values = buckets
        .iter()
        .filter_map(|bucket| bucket.latency)
        .flat_map(|latency| [latency.p50, latency.p95, latency.p99])
        .chain(objective)
        .map(|value| value.as_secs_f64());
    let scale = Scale::of(values, 4.0);
    let line = |name: &str, style, of: fn(Quantiles) -> Duration| Series {
        name: name.to_owned(),
        style,
        shape: Shape::Line(
            buckets
                .iter()
                .map(|bucket: &Bucket| Some((timeline.middle(bucket), of(bucket.latency?).as_secs_f64())))
                .collect(),
        ),
    };
    let mut series = vec![
        line("p99", "p99", |latency| latency.p99),
        line("p95", "p95", |latency| latency.p95),
        line("p50", "p50", |latency| latency.p50),
    ];
    if let Some(objective) = objective {
        series.push(Series {
            name: format!("objective of the p95, {}", duration::format(objective)),
            style: "objective",
            shape: Shape::Rule(objective.as_secs_f64()),
        });
    }
    Some(Panel {
        title: "Latency".to_owned(),
        note: if scale.is_log() {
            "from when requests were due, log scale"
        } else {
            "from when requests were due"
        }
        .to_owned(),
        scale,
        label: words,
        size: "tall",
        series,
        summary: format!(
            "Latency over time: the p95 of the worst second is {}{}",
            duration::short(worst),
            objective
                .map(|objective| format!(", its objective {}", duration::format(objective)))
                .unwrap_or_default()
        ),
    })
}

/// A number of seconds on an axis: `500us`, `20ms`, `2s`.
pub(in super::super) fn words(seconds: f64) -> String {
    match seconds {
        _ if seconds <= 0.0 => "0".to_owned(),
        _ if seconds < 0.000_999 => format!("{}us", plain(seconds * 1e6)),
        _ if seconds < 0.999 => format!("{}ms", plain(seconds * 1e3)),
        _ => format!("{}s", plain(seconds)),
    }
}
