//! Output: lines on standard output, coloured on a terminal only.

use std::io::{IsTerminal as _, Write as _};

/// The terminal on which the story is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    colour: bool,
}

/// The look of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Text without emphasis.
    Plain,
    /// A headline, in bold.
    Bold,
    /// Text of less importance.
    Dim,
    /// Good news, more replicas.
    Green,
    /// Something to look at.
    Yellow,
    /// Bad news, such as a failed check.
    Red,
    /// Good news, fewer replicas.
    Cyan,
}

impl Terminal {
    /// A terminal on standard output; in colour if that is a terminal.
    pub(crate) fn new() -> Self {
        Self {
            colour: std::io::stdout().is_terminal(),
        }
    }

    /// A terminal without colours.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { colour: false }
    }

    /// The text with that look.
    pub(crate) fn paint(self, look: Look, text: &str) -> String {
        let code = match look {
            Look::Plain => return text.to_owned(),
            Look::Bold => "1",
            Look::Dim => "2",
            Look::Green => "32",
            Look::Yellow => "33",
            Look::Red => "31;1",
            Look::Cyan => "36",
        };
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Writes a line. A closed pipe ends the story.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.trim_end())
        .and_then(|()| out.flush())
        .expect("somebody reads standard output");
}

/// Breaks text into lines of at most `width` characters, at spaces.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_wrapped_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 3), ["unbreakable"]);
        assert!(wrap("", 3).is_empty());
    }

    #[test]
    fn without_a_terminal_there_is_no_colour() {
        let plain = Terminal { colour: false };
        assert_eq!(plain.paint(Look::Red, "x"), "x");
        let coloured = Terminal { colour: true };
        assert_eq!(coloured.paint(Look::Red, "x"), "\x1b[31;1mx\x1b[0m");
    }
}
