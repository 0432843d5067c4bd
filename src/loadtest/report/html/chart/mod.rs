//! One panel of the timeline: its types and how it is drawn. Each file beside this one makes one panel.

mod concurrency;
pub(crate) mod draw;
mod errors;
mod lanes;
mod latency;
mod load;
mod metrics;
mod replicas;
mod spans;

pub(super) use self::{draw::panel as draw, lanes::lanes, latency::words as seconds, spans::span};

use super::{scale::Scale, timeline::Timeline};
use crate::model::scaling::Scaling;

/// Width of every chart, in SVG units. The chart is stretched to the width of the page.
pub(super) const WIDTH: f64 = 1000.0;
/// Height of every chart, in SVG units.
pub(super) const HEIGHT: f64 = 100.0;

/// One chart with its title, axis and legend.
#[derive(Debug)]
pub(super) struct Panel {
    /// Title of the chart.
    pub(super) title: String,
    /// The unit, and further notes.
    pub(super) note: String,
    /// The vertical axis.
    pub(super) scale: Scale,
    /// Formats a value of the vertical axis.
    pub(super) label: fn(f64) -> String,
    /// CSS class of the height.
    pub(super) size: &'static str,
    /// The series, from back to front.
    pub(super) series: Vec<Series>,
    /// The chart in one sentence, for screen readers.
    pub(super) summary: String,
}

/// One figure over time, drawn as one line or area.
#[derive(Debug)]
pub(super) struct Series {
    /// Name in the legend; empty for a series without a legend.
    pub(super) name: String,
    /// CSS class of the colour and line.
    pub(super) style: &'static str,
    /// The shape that is drawn, with its points.
    pub(super) shape: Shape,
}

/// Shapes of series. Each point is a second of the run and a value.
#[derive(Debug)]
pub(super) enum Shape {
    /// A line from point to point. `None` is a gap.
    Line(Vec<Option<(f64, f64)>>),
    /// The same line, filled down to the bottom.
    Area(Vec<Option<(f64, f64)>>),
    /// The area between a low and a high value.
    Band(Vec<(f64, f64, f64)>),
    /// Steps: each value holds until the next point, and the last one until the given second. `None` is a
    /// gap.
    Steps(Vec<(f64, Option<f64>)>, f64),
    /// The same steps, filled down to the bottom.
    Filled(Vec<(f64, Option<f64>)>, f64),
    /// Bars: from one second to another, and the value.
    Bars(Vec<(f64, f64, f64)>),
    /// A horizontal line at one value.
    Rule(f64),
}

/// The panels of the load, in the order of the page. A panel without data is left out.
pub(super) fn of_load(timeline: &Timeline) -> impl Iterator<Item = Panel> {
    let panels = [
        load::panel(timeline),
        latency::panel(timeline),
        errors::panel(timeline),
        concurrency::panel(timeline),
    ];
    panels.into_iter().flatten()
}

/// The panels of a workload, in the order of the page. A panel without data is left out.
pub(super) fn of_workload(timeline: &Timeline, scaling: &Scaling) -> impl Iterator<Item = Panel> + use<> {
    let panels = [
        replicas::panel(timeline, scaling),
        metrics::panel(timeline, scaling),
    ];
    panels.into_iter().flatten()
}

/// Formats a number on an axis with two or three digits: `120`, `1.5`, `0.25`.
pub(super) fn plain(value: f64) -> String {
    let text = match value {
        _ if value >= 10.0 || value == 0.0 => format!("{value:.0}"),
        _ if value >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    // `2.0` becomes `2`.
    text.trim_end_matches(".0").to_owned()
}
