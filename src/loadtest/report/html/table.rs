//! Tables that scroll horizontally by themselves on a narrow page.

use super::markup::Markup;

/// Most rows of a table. A note says how many more there are.
pub(super) const MOST: usize = 250;

/// Writes a table. The first cell of each row is its heading.
pub(super) fn write(out: &mut Markup, class: &str, columns: &[String], rows: &[Vec<String>]) {
    frame(out, class, columns, |out| {
        for row in rows.iter().take(MOST) {
            out.element("tr", &[], |out| cells(out, row));
        }
    });
    if let Some(more) = rows.len().checked_sub(MOST).filter(|more| *more > 0) {
        out.leaf(
            "p",
            &[("class", &"note")],
            format!("{more} more rows are left out."),
        );
    }
}

/// Writes the cells of one row.
pub(super) fn cells(out: &mut Markup, row: &[String]) {
    for (index, cell) in row.iter().enumerate() {
        match index {
            0 => out.leaf("th", &[("scope", &"row")], cell),
            _ => out.leaf("td", &[], cell),
        }
    }
}

/// Writes a table whose rows are written by `rows`.
pub(super) fn frame(out: &mut Markup, class: &str, columns: &[String], rows: impl FnOnce(&mut Markup)) {
    out.element("div", &[("class", &"scroll")], |out| {
        out.element("table", &[("class", &class)], |out| {
            out.element("thead", &[], |out| {
                out.element("tr", &[], |out| {
                    for column in columns {
                        out.leaf("th", &[("scope", &"col")], column);
                    }
                });
            });
            out.element("tbody", &[], rows);
        });
    });
}

/// Column names as owned strings.
pub(super) fn columns<const COUNT: usize>(names: [&str; COUNT]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}
