//! Everything that happened, on one time axis: panels below each other, the scale-ups as bands across them, and for each
//! bucket its figures, which show when it is pointed at. No script is needed for that.

use super::{
    buckets::{Bucket, Grid},
    chart, facts,
    markup::Markup,
    scale::{multiples, time_step},
    scale_ups,
};
use crate::loadtest::{
    model::{
        chain::{Chain, LinkKind},
        scaling::Scaling,
    },
    report::{Report, Workload},
    scenario::duration,
};

/// Most lines of the time axis.
const LINES: f64 = 10.0;

/// A run, divided for pictures.
#[derive(Debug)]
pub(super) struct Timeline<'a> {
    /// The run.
    pub(super) report: &'a Report,
    /// How its time is divided.
    pub(super) grid: Grid,
    /// Its load.
    pub(super) buckets: Vec<Bucket>,
    /// Seconds until nothing more is known.
    pub(super) length: f64,
    /// From moments to places.
    pub(super) axis: Axis,
}

/// From seconds of the run to places from 0 to 1.
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

    /// The other horizontal axis: shares of requests, each line a tenth of what is left by the one before.
    pub(super) fn nines(count: u32) -> Self {
        Self {
            length: f64::from(count),
            step: 1.0,
        }
    }

    /// Where a moment is; what is outside is at the edge.
    pub(super) fn place(self, at: f64) -> f64 {
        let place = at / self.length;
        if place.is_nan() {
            0.0
        } else {
            place.clamp(0.0, 1.0)
        }
    }

    /// Moments that get a line.
    pub(super) fn lines(self) -> Vec<f64> {
        multiples(self.length, self.step)
    }
}

impl<'a> Timeline<'a> {
    /// Of a run with all that was watched, also after the load.
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

    /// The load as it was planned, as points of a line.
    pub(super) fn planned(&self) -> Vec<Option<(f64, f64)>> {
        let mut at = 0.0;
        let lines = self.report.load.lines().flat_map(|(from, to, length)| {
            let start = at;
            at += length.as_secs_f64();
            [Some((start, from)), Some((at, to))]
        });
        // A run that was ended early was not planned to.
        lines
            .take_while(|point| point.is_some_and(|(at, _)| at <= self.axis.length))
            .collect()
    }
}

/// Writes the section; nothing for a run of which nothing is known by time.
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

/// What a point stands for.
fn note(timeline: &Timeline) -> String {
    match timeline.grid.width {
        1 => "One axis for all: time since the run began. Each point is one second.".to_owned(),
        width => format!(
            "One axis for all: time since the run began. Each point stands for {}: rates are its mean, with its slowest and fastest second as a band; latencies, errors and counts are those of its worst second.",
            duration::format(std::time::Duration::from_secs(width.into()))
        ),
    }
}

/// The times in which replicas were scaled up, across all panels; where they meet they are one.
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

/// From the first link of a chain that was seen to the last one before the recovery.
fn span(chain: &Chain) -> Option<(f64, f64)> {
    let seen = || {
        let links = chain.links.iter().filter(|link| link.kind != LinkKind::Recovered);
        links.filter_map(|link| link.at).filter(|at| at.is_finite())
    };
    Some((seen().next()?, seen().next_back()?))
}

/// The words below the axis.
fn ticks(out: &mut Markup, axis: Axis) {
    out.element("div", &[("class", &"ticks"), ("aria-hidden", &"true")], |out| {
        for (number, at) in axis.lines().into_iter().enumerate() {
            let style = format!("left:{:.2}%", 100.0 * axis.place(at));
            let class = if number % 2 == 0 { "even" } else { "odd" };
            out.leaf("span", &[("class", &class), ("style", &style)], moment(at));
        }
    });
}

/// A whole second of the run, in words.
pub(super) fn moment(at: f64) -> String {
    duration::format(std::time::Duration::try_from_secs_f64(at.round()).unwrap_or_default())
}
