//! One panel of the page's time axis: what is drawn, and how. What is in which panel is the files beside this one.

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
use crate::loadtest::model::scaling::Scaling;

/// Width of every picture, in units of its own; it is stretched to the page.
pub(super) const WIDTH: f64 = 1000.0;
/// Height of every picture.
pub(super) const HEIGHT: f64 = 100.0;

/// A panel.
#[derive(Debug)]
pub(super) struct Panel {
    /// What it shows.
    pub(super) title: String,
    /// Its unit and more about it.
    pub(super) note: String,
    /// From values to the vertical axis.
    pub(super) scale: Scale,
    /// Words of a value on the axis.
    pub(super) label: fn(f64) -> String,
    /// Style of its height.
    pub(super) size: &'static str,
    /// From the back to the front.
    pub(super) series: Vec<Series>,
    /// The same in one sentence, for who does not see it.
    pub(super) summary: String,
}

/// One figure over time.
#[derive(Debug)]
pub(super) struct Series {
    /// Its name in the legend; empty for what needs none.
    pub(super) name: String,
    /// Its colour and line, as the style sheet knows it.
    pub(super) style: &'static str,
    /// How it is drawn.
    pub(super) shape: Shape,
}

/// Points are seconds of the run and values.
#[derive(Debug)]
pub(super) enum Shape {
    /// From point to point, with gaps.
    Line(Vec<Option<(f64, f64)>>),
    /// The same, filled down to the bottom.
    Area(Vec<Option<(f64, f64)>>),
    /// Between a low and a high value.
    Band(Vec<(f64, f64, f64)>),
    /// Each value holds until the next one, the last until the given second. Without a value there is a gap.
    Steps(Vec<(f64, Option<f64>)>, f64),
    /// The same, filled down to the bottom.
    Filled(Vec<(f64, Option<f64>)>, f64),
    /// From one second to another.
    Bars(Vec<(f64, f64, f64)>),
    /// One value all the time.
    Rule(f64),
}

/// The panels of the load, in the order of the page. Those without anything to show are left out.
pub(super) fn of_load(timeline: &Timeline) -> impl Iterator<Item = Panel> {
    let panels = [
        load::panel(timeline),
        latency::panel(timeline),
        errors::panel(timeline),
        concurrency::panel(timeline),
    ];
    panels.into_iter().flatten()
}

/// The panels of a workload, likewise.
pub(super) fn of_workload(timeline: &Timeline, scaling: &Scaling) -> impl Iterator<Item = Panel> + use<> {
    let panels = [
        replicas::panel(timeline, scaling),
        metrics::panel(timeline, scaling),
    ];
    panels.into_iter().flatten()
}

/// A number on an axis.
pub(super) fn plain(value: f64) -> String {
    let text = match value {
        _ if value >= 10.0 || value == 0.0 => format!("{value:.0}"),
        _ if value >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    // Whole numbers need no digits behind the point.
    text.trim_end_matches(".0").to_owned()
}
