//! Draws a panel as SVG. The SVG stretches with the page; labels stand beside it as HTML, so that they do not
//! stretch.

use std::fmt::Write as _;

use super::{HEIGHT, Panel, Series, Shape, WIDTH};
use crate::report::html::{markup::Markup, scale::Scale, timeline::Axis};

/// Draws a panel on a horizontal axis.
pub(in super::super) fn panel(out: &mut Markup, panel: &Panel, axis: Axis) {
    let class = format!("panel {}", panel.size);
    out.element("figure", &[("class", &class)], |out| {
        out.element("figcaption", &[], |out| {
            out.leaf("b", &[], &panel.title);
            out.leaf("small", &[], &panel.note);
            for series in &panel.series {
                key(out, series);
            }
        });
        out.element("div", &[("class", &"axis"), ("aria-hidden", &"true")], |out| {
            for value in panel.scale.lines() {
                let style = format!("top:{:.1}%", 100.0 * (1.0 - panel.scale.place(value)));
                out.leaf("span", &[("style", &style)], (panel.label)(value));
            }
        });
        picture(out, &panel.summary, |out| {
            grid(out, &panel.scale, axis);
            for series in &panel.series {
                draw(out, series, &panel.scale, axis);
            }
        });
    });
}

/// An SVG of a panel's size, with words for screen readers.
pub(in super::super) fn picture(out: &mut Markup, words: &str, inside: impl FnOnce(&mut Markup)) {
    let view = format!("0 0 {WIDTH} {HEIGHT}");
    out.element(
        "svg",
        &[
            ("viewBox", &view),
            ("preserveAspectRatio", &"none"),
            ("role", &"img"),
            ("aria-label", &words),
        ],
        inside,
    );
}

/// The legend of one series: a sample of its line and its name.
fn key(out: &mut Markup, series: &Series) {
    if series.name.is_empty() {
        return;
    }
    let filled = matches!(series.shape, Shape::Bars(_) | Shape::Band(_));
    out.element("span", &[("class", &"key")], |out| {
        out.element(
            "svg",
            &[("viewBox", &"0 0 20 8"), ("aria-hidden", &"true")],
            |out| {
                if filled {
                    let class = format!("fill {}", series.style);
                    out.empty("path", &[("class", &class), ("d", &"M0 8V0H20V8Z")]);
                } else {
                    let class = format!("line {}", series.style);
                    out.empty("path", &[("class", &class), ("d", &"M0 4H20")]);
                }
            },
        );
        out.text(&series.name);
    });
}

fn grid(out: &mut Markup, scale: &Scale, axis: Axis) {
    let mut path = String::new();
    for value in scale.lines() {
        let _ = write!(path, "M0 {}H{WIDTH}", y(scale, value));
    }
    for at in axis.lines() {
        let _ = write!(path, "M{} 0V{HEIGHT}", x(axis, at));
    }
    out.empty("path", &[("class", &"grid"), ("d", &path)]);
}

fn draw(out: &mut Markup, series: &Series, scale: &Scale, axis: Axis) {
    let mut line = |kind: &str, path: String| {
        if !path.is_empty() {
            let class = format!("{kind} {}", series.style);
            out.empty("path", &[("class", &class), ("d", &path)]);
        }
    };
    match &series.shape {
        Shape::Line(points) => line("line", through(points, scale, axis, false)),
        Shape::Area(points) => {
            line("fill", through(points, scale, axis, true));
            line("line", through(points, scale, axis, false));
        }
        Shape::Band(points) => line("fill", band(points, scale, axis)),
        Shape::Steps(course, until) => line("line", steps(course, *until, scale, axis, false)),
        Shape::Filled(course, until) => {
            line("fill", steps(course, *until, scale, axis, true));
            line("line", steps(course, *until, scale, axis, false));
        }
        Shape::Bars(bars) => line("fill", rectangles(bars, scale, axis)),
        Shape::Rule(value) => line("line", format!("M0 {}H{WIDTH}", y(scale, *value))),
    }
}

fn through(points: &[Option<(f64, f64)>], scale: &Scale, axis: Axis, filled: bool) -> String {
    let mut path = String::new();
    for piece in points.split(Option::is_none) {
        let mut piece = piece.iter().flatten();
        let Some(first) = piece.next() else {
            continue;
        };
        // A single second between two gaps is drawn as a dot: `h0` is a line of no length, with round ends.
        let _ = write!(path, "M{} {}h0", x(axis, first.0), y(scale, first.1));
        for point in piece {
            let _ = write!(path, "L{} {}", x(axis, point.0), y(scale, point.1));
        }
        if filled {
            let _ = write!(path, "V{HEIGHT}H{}Z", x(axis, first.0));
        }
    }
    path
}

fn band(points: &[(f64, f64, f64)], scale: &Scale, axis: Axis) -> String {
    let mut path = String::new();
    for (index, (at, _, high)) in points.iter().enumerate() {
        let begin = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{begin}{} {}", x(axis, *at), y(scale, *high));
    }
    for (at, low, _) in points.iter().rev() {
        let _ = write!(path, "L{} {}", x(axis, *at), y(scale, *low));
    }
    if !path.is_empty() {
        path.push('Z');
    }
    path
}

fn steps(course: &[(f64, Option<f64>)], until: f64, scale: &Scale, axis: Axis, filled: bool) -> String {
    let mut path = String::new();
    let ends = course.iter().skip(1).map(|(at, _)| *at).chain([until]);
    let mut inside = false;
    for ((at, value), end) in course.iter().zip(ends) {
        let Some(value) = value else {
            inside = false;
            continue;
        };
        let (from, to, level) = (x(axis, *at), x(axis, end), y(scale, *value));
        // A filled step is a closed path of its own. A line goes on from the step before, unless there was a
        // gap.
        let _ = match (filled, inside) {
            (true, _) => write!(path, "M{from} {HEIGHT}V{level}H{to}V{HEIGHT}Z"),
            (false, true) => write!(path, "V{level}H{to}"),
            (false, false) => write!(path, "M{from} {level}H{to}"),
        };
        inside = true;
    }
    path
}

fn rectangles(bars: &[(f64, f64, f64)], scale: &Scale, axis: Axis) -> String {
    let mut path = String::new();
    for (from, to, value) in bars.iter().filter(|(_, _, value)| *value > 0.0) {
        let (from, to) = (x(axis, *from), x(axis, *to));
        // A bar above zero is at least 2 units high, so that it can be seen.
        let top = (HEIGHT * (1.0 - scale.place(*value))).min(HEIGHT - 2.0);
        let _ = write!(path, "M{from} {HEIGHT}V{top:.1}H{to}V{HEIGHT}Z");
    }
    path
}

fn x(axis: Axis, at: f64) -> String {
    short(WIDTH * axis.place(at))
}

fn y(scale: &Scale, value: f64) -> String {
    short(HEIGHT * (1.0 - scale.place(value)))
}

/// Rounds to a tenth of a unit, which keeps the page small and cannot be seen.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}
