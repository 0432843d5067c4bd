//! Everything that happened, on one time axis: charts below each other, scale-ups as bands across them, and a
//! tooltip with the figures of each bucket. The tooltips are pure CSS.

use super::{
    buckets::{Bucket, Grid},
    chart, facts,
    markup::Markup,
    scale::{multiples, time_step},
    scale_ups,
};
use crate::{
    model::{
        chain::{Chain, LinkKind},
        scaling::Scaling,
    },
    report::{Report, Workload},
    scenario::duration,
};

/// Most grid lines of the time axis.
const LINES: f64 = 10.0;

/// A run, divided into buckets for the charts.
#[derive(Debug)]
pub(super) struct Timeline<'a> {
    /// The judged run.
    pub(super) report: &'a Report,
    /// How the time of the run is divided.
    pub(super) grid: Grid,
    /// Figures of the load by bucket.
    pub(super) buckets: Vec<Bucket>,
    /// Seconds from the beginning of the run to the last observation.
    pub(super) length: f64,
    /// The time axis.
    pub(super) axis: Axis,
}

/// A horizontal axis: maps seconds of the run to places from 0 (left) to 1 (right).
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    length: f64,
    step: f64,
}

impl Axis {
    fn new(length: f64) -> Self {
        Self {
            length,
            step: time_step(length, LINES),
        }
    }

    /// The axis of the percentile chart. Each unit is one more nine: 90 %, 99 %, 99.9 %.
    pub(super) fn nines(count: u32) -> Self {
        Self {
            length: f64::from(count),
            step: 1.0,
        }
    }

    /// The place of a moment. Moments outside the axis are placed at its edge.
    pub(super) fn place(self, at: f64) -> f64 {
        let place = at / self.length;
        if place.is_nan() {
            0.0
        } else {
            place.clamp(0.0, 1.0)
        }
    }

    /// Moments of the grid lines.
    pub(super) fn lines(self) -> Vec<f64> {
        multiples(self.length, self.step)
    }
}

impl<'a> Timeline<'a> {
    /// Divides a run, with everything that was watched, also after the load.
    pub(super) fn new(report: &'a Report) -> Self {
        let last = report
            .measured
            .seconds
            .last()
            .map_or(0.0, |second| f64::from(second.at) + 1.0);
        let watched = report.workloads.iter().flat_map(|workload| {
            let scaling = &workload.scaling;
            let replicas = scaling.replicas.iter().map(|seen| seen.at);
            let metrics = scaling.metrics.iter().map(|seen| seen.at);
            replicas
                .chain(metrics)
                .chain(scaling.events.iter().map(|event| event.at))
        });
        let length = watched.filter(|at| at.is_finite()).fold(last, f64::max);
        let grid = Grid::of(length);
        Self {
            report,
            grid,
            buckets: grid.buckets(&report.measured.seconds),
            length,
            axis: Axis::new(grid.length()),
        }
    }

    /// The middle of a bucket, in seconds of the run.
    pub(super) fn middle(&self, bucket: &Bucket) -> f64 {
        bucket.at + f64::from(self.grid.width) / 2.0
    }

    /// The planned load as points of a line.
    pub(super) fn planned(&self) -> Vec<Option<(f64, f64)>> {
        let mut at = 0.0;
        let lines = self.report.load.lines().flat_map(|(from, to, length)| {
            let start = at;
            at += length.as_secs_f64();
            [Some((start, from)), Some((at, to))]
        });
        // Where a run was ended early, the rest of its plan would lie beyond the axis.
        lines
            .take_while(|point| point.is_some_and(|(at, _)| at <= self.axis.length))
            .collect()
    }
}

/// Writes the section; nothing for a run without any figure over time.
pub(super) fn write(out: &mut Markup, timeline: &Timeline) {
    let known = timeline
        .report
        .workloads
        .iter()
        .any(|workload| workload.scaling != Scaling::default());
    if timeline.buckets.is_empty() && !known {
        return;
    }
    let facts = facts::Facts::of(timeline);
    out.element("section", &[("aria-labelledby", &"timeline")], |out| {
        out.leaf("h2", &[("id", &"timeline")], "Timeline");
        out.leaf("p", &[("class", &"note")], note(timeline));
        out.element("div", &[("class", &"timeline")], |out| {
            bands(out, timeline);
            for panel in chart::of_load(timeline) {
                chart::draw(out, &panel, timeline.axis);
            }
            let mut number = 0;
            for Workload { scaling, chains, .. } in &timeline.report.workloads {
                for panel in chart::of_workload(timeline, scaling) {
                    chart::draw(out, &panel, timeline.axis);
                }
                for chain in chains {
                    number += 1;
                    if number <= scale_ups::MOST {
                        chart::span(out, timeline.axis, number, chain);
                    }
                }
                chart::lanes(out, timeline, scaling);
            }
            ticks(out, timeline.axis);
            facts::slices(out, &facts);
        });
        facts::table(out, &facts);
    });
}

/// The note above the charts: what one point stands for.
fn note(timeline: &Timeline) -> String {
    match timeline.grid.width {
        1 => "One axis for all: time since the run began. Each point is one second.".to_owned(),
        width => format!(
            "One axis for all: time since the run began. Each point stands for {}: rates are its mean, with its slowest and fastest second as a band; latencies, errors and counts are those of its worst second.",
            duration::format(std::time::Duration::from_secs(width.into()))
        ),
    }
}

/// Draws the times of scale-ups as bands across all charts. Bands that overlap become one.
fn bands(out: &mut Markup, timeline: &Timeline) {
    let chains = timeline
        .report
        .workloads
        .iter()
        .flat_map(|workload| &workload.chains);
    let mut spans: Vec<(f64, f64)> = chains.filter_map(span).collect();
    spans.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut bands: Vec<(f64, f64)> = Vec::new();
    for (from, to) in spans {
        match bands.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => bands.push((from, to)),
        }
    }
    for (from, to) in bands {
        let (left, right) = (timeline.axis.place(from), timeline.axis.place(to));
        let style = format!("--from:{left:.4};--wide:{:.4}", right - left);
        out.leaf(
            "div",
            &[("class", &"band"), ("style", &style), ("aria-hidden", &"true")],
            "",
        );
    }
}

/// From the first link of a chain that was seen to the last one before the recovery of the latency.
fn span(chain: &Chain) -> Option<(f64, f64)> {
    let seen = || {
        let links = chain.links.iter().filter(|link| link.kind != LinkKind::Recovered);
        links.filter_map(|link| link.at).filter(|at| at.is_finite())
    };
    Some((seen().next()?, seen().next_back()?))
}

/// The labels of the time axis.
fn ticks(out: &mut Markup, axis: Axis) {
    out.element("div", &[("class", &"ticks"), ("aria-hidden", &"true")], |out| {
        for (number, at) in axis.lines().into_iter().enumerate() {
            let style = format!("left:{:.2}%", 100.0 * axis.place(at));
            let class = if number % 2 == 0 { "even" } else { "odd" };
            out.leaf("span", &[("class", &class), ("style", &style)], moment(at));
        }
    });
}

/// A moment of the run in words, rounded to whole seconds.
pub(super) fn moment(at: f64) -> String {
    duration::format(std::time::Duration::try_from_secs_f64(at.round()).unwrap_or_default())
}
