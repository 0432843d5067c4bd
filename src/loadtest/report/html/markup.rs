//! Markup in the making: elements are closed by themselves and all text is escaped, so that no name from outside can
//! become an element. The result is well-formed XML too.

use std::fmt::{Display, Write};

use crate::loadtest::report::escape::escape_into;

/// Names and values of attributes.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a dyn Display)];

/// Markup in the making.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

/// Writes escaped.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        escape_into(self.0, text);
        Ok(())
    }
}

impl Markup {
    /// What was written.
    pub(super) fn finish(self) -> String {
        self.0
    }

    /// Text.
    pub(super) fn text(&mut self, text: impl Display) {
        // Writing to a String cannot fail.
        let _ = write!(Escaped(&mut self.0), "{text}");
    }

    /// An element with what is inside of it.
    pub(super) fn element(&mut self, name: &str, attributes: Attributes, inside: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        self.0.push('>');
        inside(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// An element with nothing but text.
    pub(super) fn leaf(&mut self, name: &str, attributes: Attributes, text: impl Display) {
        self.element(name, attributes, |out| out.text(text));
    }

    /// An element with nothing in it, such as `meta` or a line of a picture.
    pub(super) fn empty(&mut self, name: &str, attributes: Attributes) {
        self.open(name, attributes);
        self.0.push_str("/>");
    }

    /// Markup of our own, such as the style sheet. Must not: come from outside.
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
