//! A run as the charts draw it: divided into buckets, on one time axis.

use std::time::Duration;

use super::{
    buckets::{Bucket, Grid},
    scale::{multiples, time_step},
};
use crate::{report::Report, scenario::duration};

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
    /// The axis of so many seconds.
    pub(super) fn new(length: f64) -> Self {
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

    /// The planned load as points of a line. Where a run was ended early, the rest of its plan would lie beyond the
    /// axis: of ten minutes at 50/s that were stopped after 14 s, the line is 14 s long.
    pub(super) fn planned(&self) -> Vec<Option<(f64, f64)>> {
        let shown = Duration::try_from_secs_f64(self.axis.length).unwrap_or_default();
        let mut at = 0.0;
        let load = self.report.load.until(shown);
        let lines = load.lines().flat_map(|(from, to, length)| {
            let start = at;
            at += length.as_secs_f64();
            [Some((start, from)), Some((at, to))]
        });
        lines.collect()
    }
}

/// A moment of the run in words, rounded to whole seconds.
pub(super) fn moment(at: f64) -> String {
    duration::format(Duration::try_from_secs_f64(at.round()).unwrap_or_default())
}
