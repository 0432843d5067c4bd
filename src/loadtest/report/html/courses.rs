//! A page with a table and, below it, figures over time on one axis. `vas simulate` shows what it replayed with it.

use super::{
    chart::{self, Panel, Series, Shape, plain},
    markup::Markup,
    over_time::ticks,
    scale::Scale,
    table,
    timeline::Axis,
};

/// What the page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Title and heading.
    pub title: String,
    /// Names of the table's columns.
    pub columns: Vec<String>,
    /// Rows of the table, of which the first cell is the heading.
    pub rows: Vec<Vec<String>>,
    /// Sentences below the table.
    pub notes: Vec<String>,
    /// A further table below it.
    pub further: Option<Further>,
    /// Length of the time axis, in seconds.
    pub length: f64,
    /// Sentence above the charts: what a point stands for.
    pub point: String,
    /// The charts, from top to bottom.
    pub charts: Vec<Chart>,
}

/// A table with a heading of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Further {
    /// Its heading.
    pub title: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows, of which the first cell is the heading.
    pub rows: Vec<Vec<String>>,
    /// Sentences below it.
    pub notes: Vec<String>,
}

/// One chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Title of the chart.
    pub title: String,
    /// Its unit, and further notes.
    pub note: String,
    /// The figures, from back to front.
    pub courses: Vec<Course>,
}

/// A figure over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Name in the legend.
    pub name: String,
    /// How it is drawn.
    pub look: Look,
    /// Seconds, and the value from then on; `None` is a gap.
    pub steps: Vec<(f64, Option<f64>)>,
}

/// How a figure is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// An area: what is there.
    There,
    /// A dashed line: what is asked for.
    Asked,
    /// A plain line: what is needed.
    Needed,
}

/// The page.
#[must_use]
pub fn render(page: &Page) -> String {
    super::document(&page.title, |out| {
        out.element("main", &[], |out| body(out, page));
        out.element("footer", &[], |out| {
            out.leaf("p", &[], concat!("vas ", env!("CARGO_PKG_VERSION"), "."));
        });
    })
}

fn body(out: &mut Markup, page: &Page) {
    out.element("section", &[], |out| {
        out.leaf("h1", &[], &page.title);
        table::write(out, "numbers", &page.columns, &page.rows);
        notes(out, &page.notes);
    });
    if let Some(further) = &page.further {
        out.element("section", &[("aria-labelledby", &"further")], |out| {
            out.leaf("h2", &[("id", &"further")], &further.title);
            table::write(out, "numbers", &further.columns, &further.rows);
            notes(out, &further.notes);
        });
    }
    let axis = Axis::new(page.length);
    out.element("section", &[("aria-labelledby", &"timeline")], |out| {
        out.leaf("h2", &[("id", &"timeline")], "Timeline");
        out.leaf("p", &[("class", &"note")], &page.point);
        out.element("div", &[("class", &"timeline")], |out| {
            for one in &page.charts {
                chart::draw(out, &panel(one, page.length), axis);
            }
            ticks(out, axis);
        });
    });
}

fn notes(out: &mut Markup, notes: &[String]) {
    out.element("ul", &[("class", &"note")], |out| {
        for note in notes {
            out.leaf("li", &[], note);
        }
    });
}

fn panel(chart: &Chart, until: f64) -> Panel {
    let values = chart.courses.iter().flat_map(|course| &course.steps);
    let most = values.filter_map(|(_, value)| *value).fold(0.0, f64::max);
    let series = chart.courses.iter().map(|course| {
        let steps = course.steps.clone();
        let (style, shape) = match course.look {
            Look::There => ("ready", Shape::Filled(steps, until)),
            Look::Asked => ("desired", Shape::Steps(steps, until)),
            Look::Needed => ("answered", Shape::Steps(steps, until)),
        };
        Series {
            name: course.name.clone(),
            style,
            shape,
        }
    });
    Panel {
        title: chart.title.clone(),
        note: chart.note.clone(),
        scale: Scale::linear(most, 4.0),
        label: plain,
        size: "tall",
        series: series.collect(),
        summary: format!("{} over time, at most {}", chart.title, plain(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_each_course_has_a_key_and_a_path() {
        let course = |name: &str, look| Course {
            name: name.to_owned(),
            look,
            steps: vec![(0.0, Some(2.0)), (30.0, None), (60.0, Some(4.0))],
        };
        let page = Page {
            title: "<b>web".to_owned(),
            columns: table::columns(["policy", "short"]),
            rows: vec![vec!["<i>static=2".to_owned(), "0 %".to_owned()]],
            notes: vec!["A & B".to_owned()],
            further: Some(Further {
                title: "<i>more".to_owned(),
                columns: table::columns(["point"]),
                rows: vec![vec!["1 < 2".to_owned()]],
                notes: vec!["C & D".to_owned()],
            }),
            length: 90.0,
            point: "Each point".to_owned(),
            charts: vec![Chart {
                title: "Replicas".to_owned(),
                note: String::new(),
                courses: vec![course("Ready", Look::There), course("asked for", Look::Asked)],
            }],
        };
        let html = render(&page);
        assert!(
            !html.contains("<b>web") && !html.contains("<i>") && !html.contains("<script"),
            "{html}"
        );
        assert!(html.contains("1 &lt; 2") && html.contains("C &amp; D"));
        assert!(html.contains("A &amp; B") && html.contains("&lt;i&gt;static=2"));
        assert_eq!(html.matches("class=\"key\"").count(), 2);
        // The area, its line, and the dashed line; each begins anew after the gap.
        assert_eq!(
            html.matches("class=\"line desired\" d=\"M0 50H333.3M666.7 0H1000\"")
                .count(),
            1,
            "{html}"
        );
        assert_eq!(html.matches("class=\"fill ready\"").count(), 1);
    }
}
