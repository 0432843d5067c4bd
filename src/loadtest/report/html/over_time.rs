//! The section with everything that happened, on one time axis: charts below each other, scale-ups as bands across
//! them, and a tooltip with the figures of each bucket. The tooltips are pure CSS.

use super::{
    chart, facts,
    markup::Markup,
    scale_ups,
    timeline::{Axis, Timeline, moment},
};
use crate::{
    model::{
        chain::{Chain, LinkKind},
        scaling::Scaling,
    },
    report::Workload,
    scenario::duration,
};

/// Writes the section, with all its figures as a table; nothing for a run without any figure over time.
pub(super) fn write(out: &mut Markup, timeline: &Timeline) {
    section(out, timeline, facts::table);
}

/// The same section without the table, for a page that shows it anew each second.
pub(super) fn charts(out: &mut Markup, timeline: &Timeline) {
    section(out, timeline, |_, _| ());
}

fn section(out: &mut Markup, timeline: &Timeline, below: impl FnOnce(&mut Markup, &facts::Facts)) {
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
        below(out, &facts);
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
pub(super) fn ticks(out: &mut Markup, axis: Axis) {
    out.element("div", &[("class", &"ticks"), ("aria-hidden", &"true")], |out| {
        for (number, at) in axis.lines().into_iter().enumerate() {
            let place = axis.place(at);
            let style = format!("left:{:.2}%", 100.0 * place);
            // A label in the middle of the right edge would stick out of a narrow page.
            let class = match (place > 0.97, number % 2) {
                (true, 0) => "even end",
                (true, _) => "odd end",
                (false, 0) => "even",
                (false, _) => "odd",
            };
            out.leaf("span", &[("class", &class), ("style", &style)], moment(at));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::rate::Profile;

    #[test]
    fn a_label_at_the_right_edge_ends_there() {
        let mut out = Markup::default();
        ticks(&mut out, Axis::nines(3));
        let page = out.finish();
        assert_eq!(page.matches(" end\"").count(), 1, "{page}");
        assert!(page.contains("odd end\" style=\"left:100.00%\""), "{page}");
    }

    #[test]
    fn the_plan_of_a_run_that_was_ended_early_is_drawn_as_far_as_it_went() {
        let mut report = crate::report::example::autoscaling();
        report.workloads.clear();
        report.measured.seconds.truncate(14);
        report.load = Profile::constant(50.0, std::time::Duration::from_secs(600));
        let timeline = Timeline::new(&report);
        assert_eq!(timeline.planned(), [Some((0.0, 50.0)), Some((14.0, 50.0))]);
    }
}
