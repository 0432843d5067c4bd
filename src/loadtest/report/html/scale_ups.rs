//! The time-to-scale chain of each scale-up, drawn as a bar with a segment for each link.

use super::markup::Markup;
use crate::{
    model::chain::{Chain, Link},
    report::{Report, words},
};

/// Most scale-ups on a page.
pub(super) const MOST: usize = 30;

/// Writes all scale-ups; nothing where there was none.
pub(super) fn write(out: &mut Markup, report: &Report) {
    let chains = || report.workloads.iter().flat_map(|workload| &workload.chains);
    let longest = chains().map(total).fold(0.0, f64::max);
    if chains().next().is_none() {
        return;
    }
    out.element("section", &[("aria-labelledby", &"scale-ups")], |out| {
        out.leaf("h2", &[("id", &"scale-ups")], "Scale-ups, from load to replicas");
        let mut number = 0;
        for workload in &report.workloads {
            for chain in &workload.chains {
                number += 1;
                if number <= MOST {
                    one(out, &workload.scaling.target, number, chain, longest);
                }
            }
        }
        if number > MOST {
            let more = number - MOST;
            out.leaf(
                "p",
                &[("class", &"note")],
                format_args!("{more} more are left out."),
            );
        }
    });
}

/// Seconds of all links together.
fn total(chain: &Chain) -> f64 {
    chain.links.iter().filter_map(seconds).sum()
}

fn seconds(link: &Link) -> Option<f64> {
    link.seconds
        .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
}

fn one(out: &mut Markup, target: &str, number: usize, chain: &Chain, longest: f64) {
    let slowest = chain.slowest().map(|link| link.kind);
    out.element("article", &[("class", &"chain")], |out| {
        out.element("h3", &[], |out| {
            out.leaf("span", &[("class", &"number")], number);
            out.text(words::chain(chain));
            out.text(" ");
            out.leaf("small", &[], target);
        });
        let share = if longest > 0.0 {
            100.0 * total(chain) / longest
        } else {
            0.0
        };
        let width = format!("width:{share:.2}%");
        out.element(
            "div",
            &[("class", &"bar"), ("style", &width), ("aria-hidden", &"true")],
            |out| {
                for (index, link) in chain.links.iter().enumerate() {
                    let Some(seconds) = seconds(link).filter(|seconds| *seconds > 0.0) else {
                        continue;
                    };
                    let class = class(index, slowest == Some(link.kind));
                    let grow = format!("flex-grow:{seconds:.3}");
                    let title = format!("{} {seconds:.1} s", words::link(link.kind));
                    out.element(
                        "span",
                        &[("class", &class), ("style", &grow), ("title", &title)],
                        |out| {
                            // A narrow segment has no room for a number; the list below has it.
                            if longest > 0.0 && seconds / longest > 0.05 {
                                out.text(format_args!("{seconds:.1}"));
                            }
                        },
                    );
                }
            },
        );
        out.element("ol", &[], |out| {
            for (index, link) in chain.links.iter().enumerate() {
                let is_slowest = slowest == Some(link.kind);
                out.element("li", &[("class", &class(index, is_slowest))], |out| {
                    out.leaf("span", &[], words::link(link.kind));
                    out.leaf("b", &[], figure(link));
                    if is_slowest {
                        out.leaf("em", &[], "slowest");
                    }
                });
            }
        });
        if let Some(hint) = &chain.hint {
            out.element("p", &[("class", &"hint")], |out| {
                if let Some(slowest) = words::slowest(chain) {
                    out.leaf("b", &[], format_args!("Slowest, {slowest}: "));
                }
                out.text(hint);
            });
        }
    });
}

fn figure(link: &Link) -> String {
    match (seconds(link), link.at) {
        (Some(seconds), _) => format!("{seconds:.1} s"),
        (None, Some(at)) => format!("at {at:.1} s of the run"),
        (None, None) => "not seen".to_owned(),
    }
}

/// CSS class of a link: its colour follows from its place in the chain.
pub(super) fn class(index: usize, slowest: bool) -> String {
    let slowest = if slowest { " slowest" } else { "" };
    format!("l{}{slowest}", index.min(7))
}
