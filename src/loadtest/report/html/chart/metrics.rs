//! The chart of an HPA's metrics, each divided by its target. Above 1 the HPA scales up.

use super::{Panel, Series, Shape, plain};
use crate::{
    model::scaling::Scaling,
    report::html::{scale::Scale, timeline::Timeline},
};

/// CSS classes of the metrics, in their order. All metrics from the fourth on share the last one.
const STYLES: [&str; 4] = ["m1", "m2", "m3", "m4"];

/// The panel; `None` where no metric was observed.
pub(super) fn panel(timeline: &Timeline, scaling: &Scaling) -> Option<Panel> {
    let mut names: Vec<&str> = Vec::new();
    for seen in &scaling.metrics {
        if !names.contains(&seen.name.as_str()) {
            names.push(&seen.name);
        }
    }
    let ratios = || scaling.metrics.iter().filter_map(|seen| seen.ratio);
    let most = ratios().filter(|ratio| ratio.is_finite()).fold(1.0, f64::max);
    let styles = STYLES.into_iter().chain(std::iter::repeat("m4"));
    let mut series: Vec<Series> = names
        .iter()
        .zip(styles)
        .map(|(name, style)| Series {
            name: (*name).to_owned(),
            style,
            shape: Shape::Steps(course(timeline, scaling, name), timeline.length),
        })
        .collect();
    if series.is_empty() {
        return None;
    }
    series.push(Series {
        name: "target".to_owned(),
        style: "objective",
        shape: Shape::Rule(1.0),
    });
    Some(Panel {
        title: "HPA metrics".to_owned(),
        note: format!("value / target, {}; a gap is no data", scaling.hpa),
        scale: Scale::linear(most, 3.0),
        label: plain,
        size: "low",
        series,
        summary: format!(
            "Metrics of the HPA {} over their targets over time: at most {most:.2} ({})",
            scaling.hpa,
            names.join(", ")
        ),
    })
}

/// The ratios of a metric. Times without a value stay as gaps.
fn course(timeline: &Timeline, scaling: &Scaling, name: &str) -> Vec<(f64, Option<f64>)> {
    let seen: Vec<(f64, Option<f64>)> = scaling
        .metrics
        .iter()
        .filter(|seen| seen.name == name)
        .map(|seen| (seen.at.max(0.0), seen.ratio.filter(|ratio| ratio.is_finite())))
        .collect();
    let mut course = Vec::new();
    for stretch in seen.chunk_by(|one, other| one.1.is_some() == other.1.is_some()) {
        let known: Vec<(f64, f64)> = stretch
            .iter()
            .filter_map(|(at, ratio)| Some((*at, (*ratio)?)))
            .collect();
        if known.is_empty() {
            course.extend(stretch.first().map(|(at, _)| (*at, None)));
        } else {
            let thinned = timeline.grid.thinned(&known);
            course.extend(thinned.into_iter().map(|(at, ratio)| (at, Some(ratio))));
        }
    }
    course
}
