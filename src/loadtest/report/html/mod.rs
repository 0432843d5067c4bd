//! A run as an HTML page: one file, without scripts and without network access.
//!
//! ```text
//! verdict    what the run says, and why        timeline   everything that happened on one axis
//! figures    the headline figures                chart    one panel of it     facts  the figures behind it
//! scale_ups  what scaling waited for             buckets  many seconds as few points
//! percentiles, details   tables                  scale    from values to places
//! markup     escaped writing                   table      the form of all tables
//! live       the part of the live page that shows a run so far       courses  a page of others: a table and charts
//! ```
//!
//! Must not: put text from outside anywhere but through `markup`, or add a file, a font or a script.

mod buckets;
mod chart;
pub mod courses;
mod details;
mod facts;
mod figures;
pub(crate) mod live;
mod markup;
mod over_time;
mod percentiles;
mod scale;
mod scale_ups;
mod table;
mod timeline;
mod verdict;

use self::{markup::Markup, timeline::Timeline};
use super::{Report, words};

/// The style sheet: light and dark colours, wide and narrow layout.
pub(crate) const STYLE: &str = include_str!("style.css");

/// Content security policy: browsers allow the page its own styles and nothing else. If a name became markup
/// in spite of the escaping, it could do nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Marks of events, which the lanes refer to by `id`.
const MARKS: &str = concat!(
    r#"<svg class="marks" width="0" height="0" aria-hidden="true"><defs>"#,
    r#"<circle id="dot" r="3.5"/><circle id="ring" r="3"/>"#,
    r#"<path id="cross" d="M-3-3L3 3M-3 3L3-3"/><path id="diamond" d="M0-4L4 0L0 4L-4 0Z"/>"#,
    "</defs></svg>",
);

/// The report as an HTML page.
pub fn render(report: &Report) -> String {
    let title = format!("{} {}: vas test", words::verdict(report.verdict), report.name);
    document(&title, |out| body(out, report))
}

/// A whole page: its head, with the style sheet, and what `body` writes.
fn document(title: &str, body: impl FnOnce(&mut Markup)) -> String {
    let mut out = Markup::default();
    out.own("<!DOCTYPE html>\n");
    out.element(
        "html",
        &[("lang", &"en"), ("xmlns", &"http://www.w3.org/1999/xhtml")],
        |out| {
            out.element("head", &[], |out| {
                out.empty("meta", &[("charset", &"utf-8")]);
                out.empty(
                    "meta",
                    &[("http-equiv", &"Content-Security-Policy"), ("content", &POLICY)],
                );
                out.empty(
                    "meta",
                    &[
                        ("name", &"viewport"),
                        ("content", &"width=device-width, initial-scale=1"),
                    ],
                );
                out.empty("meta", &[("name", &"color-scheme"), ("content", &"light dark")]);
                out.leaf("title", &[], title);
                out.element("style", &[], |out| out.own(STYLE));
            });
            out.element("body", &[], body);
        },
    );
    out.own("\n");
    out.finish()
}

fn body(out: &mut Markup, report: &Report) {
    out.own(MARKS);
    out.element("main", &[], |out| {
        verdict::head(out, report);
        verdict::reasons(out, report);
        figures::write(out, report);
        over_time::write(out, &Timeline::new(report));
        scale_ups::write(out, report);
        details::checks(out, report);
        percentiles::write(out, report);
        details::steps(out, report);
        details::traffic(out, report);
        details::failures(out, report);
        details::websocket(out, report);
        details::events(out, report);
        details::elasticity(out, report);
        details::generator(out, report);
    });
    out.element("footer", &[], |out| {
        out.leaf(
            "p",
            &[],
            concat!(
                "vas ",
                env!("CARGO_PKG_VERSION"),
                ". Latency counts from the moment a request was due, so a service that stalls is charged for every request that was due meanwhile; the service time counts from the moment it was really sent."
            ),
        );
    });
}

#[cfg(test)]
mod tests;
