//! The chart of the replicas of one workload, with the bounds of its HPA.

use super::{Panel, Series, Shape, plain};
use crate::{
    model::scaling::{Replicas, Scaling},
    report::{
        html::{scale::Scale, timeline::Timeline},
        words::ready_range,
    },
};

/// The panel; `None` where no replicas were observed.
pub(super) fn panel(timeline: &Timeline, scaling: &Scaling) -> Option<Panel> {
    let (fewest, most) = ready_range(scaling)?;
    let line = |of: fn(&Replicas) -> u32| {
        let mut course: Vec<(f64, f64)> = scaling
            .replicas
            .iter()
            .map(|seen| (seen.at.max(0.0), f64::from(of(seen))))
            .collect();
        // Each observation has all three counts, so a count repeats when another one changes. Repetitions are
        // left out.
        course.dedup_by(|later, earlier| later.1.to_bits() == earlier.1.to_bits());
        let thinned = timeline.grid.thinned(&course);
        thinned.into_iter().map(|(at, value)| (at, Some(value))).collect()
    };
    let until = timeline.length;
    let highest = scaling
        .replicas
        .iter()
        .map(|seen| seen.desired.max(seen.current).max(seen.ready))
        .max()?;
    let bounds = scaling.bounds;
    // A maximum far above all observed replicas would flatten the chart, so it is not drawn.
    let near = bounds.max <= highest.saturating_mul(2).max(bounds.min.saturating_mul(2));
    let top = if near {
        highest.max(bounds.max)
    } else {
        highest.max(bounds.min)
    };
    let mut series = vec![
        Series {
            name: "Ready".to_owned(),
            style: "ready",
            shape: Shape::Filled(line(|seen| seen.ready), until),
        },
        Series {
            name: "current".to_owned(),
            style: "current",
            shape: Shape::Steps(line(|seen| seen.current), until),
        },
        Series {
            name: "desired".to_owned(),
            style: "desired",
            shape: Shape::Steps(line(|seen| seen.desired), until),
        },
    ];
    let rule = |name: String, value: u32| Series {
        name,
        style: "bound",
        shape: Shape::Rule(f64::from(value)),
    };
    if bounds.max > 0 {
        series.push(rule(
            format!("bounds {} to {}", bounds.min, bounds.max),
            bounds.min,
        ));
        if near {
            series.push(rule(String::new(), bounds.max));
        }
    }
    Some(Panel {
        title: "Replicas".to_owned(),
        note: scaling.target.clone(),
        scale: Scale::whole(f64::from(top), 4.0),
        label: plain,
        size: "tall",
        series,
        summary: format!(
            "Replicas of {} over time: {fewest} to {most} Ready, bounds {} to {}",
            scaling.target, bounds.min, bounds.max
        ),
    })
}
