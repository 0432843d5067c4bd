//! The top of the page: the verdict, and the reasons for it.

use super::markup::Markup;
use crate::{
    model::check::Check,
    report::{Grade, Lost, Report, Verdict, words},
    scenario::duration,
};

/// Verdict, grade, name, target and time.
pub(super) fn head(out: &mut Markup, report: &Report) {
    out.element("header", &[("class", &style(report.verdict))], |out| {
        out.element("p", &[("class", &"verdict")], |out| {
            // A sign beside the colour, for readers who cannot tell the colours apart.
            let sign = match report.verdict {
                Verdict::Pass => "\u{2713}",
                Verdict::Fail => "\u{2715}",
                Verdict::Invalid => "?",
            };
            out.leaf("span", &[("aria-hidden", &"true")], sign);
            out.text(words::verdict(report.verdict));
        });
        if let Some(Grade { letter, points, .. }) = &report.grade {
            out.element("p", &[("class", &"grade")], |out| {
                out.leaf("small", &[], "grade ");
                out.leaf("b", &[], format_args!("{letter:?}"));
                out.leaf("small", &[], format_args!(" {points:.0} of 100 points"));
            });
        }
        out.element("div", &[("class", &"name")], |out| {
            out.leaf("h1", &[], &report.name);
            out.leaf("p", &[("class", &"target")], &report.target);
            out.leaf("p", &[("class", &"note")], when(report));
        });
    });
}

/// CSS class of a verdict.
pub(super) fn style(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Invalid => "invalid",
    }
}

fn when(report: &Report) -> String {
    let measured = &report.measured;
    let began = measured.began.strftime("%Y-%m-%d %H:%M:%S UTC");
    let length = duration::format(measured.elapsed);
    let peak = report.load.peak();
    format!("{began}, {length}, planned peak {peak:.0} {}", report.load_unit)
}

/// Reasons why the run is not better: doubts, an early end, failed checks and lost points.
pub(super) fn reasons(out: &mut Markup, report: &Report) {
    let end = words::end(report);
    let missed: Vec<&Check> = report.checks.iter().filter(|check| !check.passed).collect();
    let lost: Vec<&Lost> = report.grade.iter().flat_map(|grade| &grade.lost).collect();
    let of_check = |check: &Check, lost: &&&Lost| lost.cause == format!("{}: {}", check.name, check.measured);
    let others: Vec<&&Lost> = lost
        .iter()
        .filter(|lost| !missed.iter().any(|check| of_check(check, lost)))
        .collect();
    let notes = words::notes(report);
    if report.doubts.is_empty() && notes.is_empty() && end.is_none() && missed.is_empty() && others.is_empty()
    {
        return;
    }
    out.element(
        "section",
        &[("class", &"reasons"), ("aria-labelledby", &"reasons")],
        |out| {
            let title = match report.verdict {
                Verdict::Pass => "What to know",
                Verdict::Fail => "Why it failed",
                Verdict::Invalid => "Why it proves nothing",
            };
            out.leaf("h2", &[("id", &"reasons")], title);
            out.element("ul", &[], |out| {
                for doubt in report.doubts.iter().chain(&notes) {
                    out.leaf("li", &[("class", &"doubt")], doubt);
                }
                if let Some(end) = end {
                    out.leaf("li", &[("class", &"doubt")], end);
                }
                for check in &missed {
                    let points = lost
                        .iter()
                        .find(|lost| of_check(check, lost))
                        .map(|lost| lost.points);
                    let measured = format!("measured {}", check.measured);
                    reason(out, &check.name, &measured, points, check.hint.as_deref());
                }
                for lost in others {
                    reason(out, &lost.cause, "", Some(lost.points), Some(&lost.hint));
                }
            });
        },
    );
}

fn reason(out: &mut Markup, what: &str, measured: &str, points: Option<f64>, hint: Option<&str>) {
    out.element("li", &[], |out| {
        out.leaf("b", &[], what);
        out.leaf("span", &[("class", &"measured")], measured);
        if let Some(points) = points {
            out.leaf(
                "span",
                &[("class", &"points")],
                format_args!("\u{2212}{points:.0} points"),
            );
        }
        if let Some(hint) = hint.filter(|hint| !hint.is_empty()) {
            out.leaf("p", &[("class", &"hint")], hint);
        }
    });
}
