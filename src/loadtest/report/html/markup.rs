//! Writes markup. Elements are closed by themselves, and all text is escaped, so no name from outside can
//! become an element. The result is well-formed XML too.

use std::fmt::{Display, Write};

use crate::report::escape::escape_into;

/// Names and values of attributes.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a dyn Display)];

/// Markup that is being written.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

/// A writer that escapes all text.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        escape_into(self.0, text);
        Ok(())
    }
}

impl Markup {
    /// The complete markup.
    pub(super) fn finish(self) -> String {
        self.0
    }

    /// Writes text, escaped.
    pub(super) fn text(&mut self, text: impl Display) {
        // Writing to a String cannot fail.
        let _ = write!(Escaped(&mut self.0), "{text}");
    }

    /// Writes an element; `inside` writes its content.
    pub(super) fn element(&mut self, name: &str, attributes: Attributes, inside: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        self.0.push('>');
        inside(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// Writes an element that contains only text.
    pub(super) fn leaf(&mut self, name: &str, attributes: Attributes, text: impl Display) {
        self.element(name, attributes, |out| out.text(text));
    }

    /// Writes an element without content, such as `meta` or a line of a chart.
    pub(super) fn empty(&mut self, name: &str, attributes: Attributes) {
        self.open(name, attributes);
        self.0.push_str("/>");
    }

    /// Writes markup as it is, such as the style sheet. Must not: be used for text from outside.
    pub(super) fn own(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    fn open(&mut self, name: &str, attributes: Attributes) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            let _ = write!(Escaped(&mut self.0), "{value}");
            self.0.push('"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_cannot_leave_their_place() {
        let mut out = Markup::default();
        let hostile = "\"><script>&'\u{0}";
        out.element("p", &[("title", &hostile)], |out| {
            out.text(hostile);
            out.empty("br", &[]);
        });
        let escaped = "&quot;&gt;&lt;script&gt;&amp;&#39;\u{fffd}";
        assert_eq!(out.finish(), format!("<p title=\"{escaped}\">{escaped}<br/></p>"));
    }
}
