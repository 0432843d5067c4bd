//! Events of a workload: a lane for each kind of event, with a mark for each bucket in which it happened.

use std::collections::BTreeMap;

use crate::{
    model::scaling::{Event, EventKind, Scaling},
    report::{
        html::{markup::Markup, timeline::Timeline},
        words,
    },
};
use vas_core::wording::and_more;

/// Most objects that the tooltip of a mark names.
const NAMES: usize = 2;

/// Events of one kind in one bucket, drawn as one mark.
#[derive(Debug)]
struct Mark<'a> {
    first: &'a Event,
    count: usize,
    names: Vec<String>,
}

/// Draws the lanes of a workload; nothing without events.
pub(in super::super) fn lanes(out: &mut Markup, timeline: &Timeline, scaling: &Scaling) {
    let mut kinds: BTreeMap<EventKind, BTreeMap<usize, Mark>> = BTreeMap::new();
    for event in &scaling.events {
        let marks = kinds.entry(event.kind).or_default();
        let mark = marks.entry(timeline.grid.index(event.at)).or_insert(Mark {
            first: event,
            count: 0,
            names: Vec::new(),
        });
        mark.count += 1;
        if mark.names.len() < NAMES {
            mark.names
                .push(format!("{} {}", event.object, event.words).trim().to_owned());
        }
    }
    if kinds.is_empty() {
        return;
    }
    let words = format!("Events of {} over time", scaling.target);
    out.element(
        "div",
        &[("class", &"lanes"), ("role", &"group"), ("aria-label", &words)],
        |out| {
            for (kind, marks) in &kinds {
                let count: usize = marks.values().map(|mark| mark.count).sum();
                let label = format!("{}: {count} times", words::event(*kind));
                out.element("div", &[("class", &"lane")], |out| {
                    out.leaf("span", &[], words::event(*kind));
                    out.element("svg", &[("role", &"img"), ("aria-label", &label)], |out| {
                        for mark in marks.values() {
                            draw(out, timeline, *kind, mark);
                        }
                    });
                });
            }
        },
    );
}

fn draw(out: &mut Markup, timeline: &Timeline, kind: EventKind, mark: &Mark) {
    let x = format!("{:.2}%", 100.0 * timeline.axis.place(mark.first.at));
    let shape = shape(kind);
    let href = format!("#{shape}");
    let more = and_more(mark.count.saturating_sub(mark.names.len()));
    let title = format!(
        "{:.1} s: {} {}{more}",
        mark.first.at,
        words::event(kind),
        mark.names.join(", ")
    );
    out.element(
        "use",
        &[("class", &shape), ("x", &x), ("y", &"50%"), ("href", &href)],
        |out| {
            out.leaf("title", &[], title);
        },
    );
}

/// Shape of the mark of a kind, which is also its CSS class. Bad events are crosses.
fn shape(kind: EventKind) -> &'static str {
    match kind {
        EventKind::PodReady => "dot",
        EventKind::PodUnready | EventKind::PodRefused => "cross",
        EventKind::HpaCondition | EventKind::VpaRecommendation | EventKind::DisruptionRoom => "diamond",
        _ => "ring",
    }
}
