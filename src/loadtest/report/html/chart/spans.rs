//! Draws each scale-up as a lane of the timeline, with its links in the colours of the bars below.

use crate::{
    model::chain::Chain,
    report::{
        html::{markup::Markup, scale_ups::class, timeline::Axis},
        words,
    },
};

/// Draws the lane of one scale-up.
pub(in super::super) fn span(out: &mut Markup, axis: Axis, number: usize, chain: &Chain) {
    let label = words::chain(chain);
    out.element("div", &[("class", &"lane")], |out| {
        out.leaf("span", &[], format_args!("scale-up {number}"));
        out.element("svg", &[("role", &"img"), ("aria-label", &label)], |out| {
            for (index, link) in chain.links.iter().enumerate() {
                let Some((until, seconds)) = link.at.zip(link.seconds) else {
                    continue;
                };
                let (from, to) = (axis.place(until - seconds), axis.place(until));
                let (x, width) = (
                    format!("{:.2}%", 100.0 * from),
                    format!("{:.2}%", 100.0 * (to - from)),
                );
                out.empty(
                    "rect",
                    &[
                        ("class", &class(index, false)),
                        ("x", &x),
                        ("width", &width),
                        ("y", &"20%"),
                        ("height", &"60%"),
                    ],
                );
            }
        });
    });
}
