//! Shows on standard error how far a load is. On a terminal it is one line that is overwritten. Elsewhere,
//! and on a dumb terminal, it is a line every few seconds.

use std::io::{self, Write as _};

use vas_cluster::terminal;
use vas_loadtest::progress::{Line, Progress};

/// Seconds between two lines where there is no terminal.
const EVERY: u32 = 5;

/// The progress of a load, on standard error.
#[derive(Debug)]
pub(super) struct Shown {
    redraw: bool,
    quiet: bool,
}

impl Shown {
    /// Shows nothing if `quiet`.
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            redraw: terminal::redraws(&io::stderr()),
            quiet,
        }
    }
}

impl Progress for Shown {
    fn say(&mut self, words: &str) {
        if self.quiet {
            return;
        }
        let before = if self.redraw { "\r\x1b[2K" } else { "" };
        // A closed standard error is ignored.
        let _ = writeln!(io::stderr().lock(), "{before}{words}");
    }

    fn second(&mut self, line: &mut Line) {
        let due = self.redraw || line.seconds() >= EVERY;
        if self.quiet || !due {
            return;
        }
        let line = line.take();
        let mut err = io::stderr().lock();
        // A closed standard error is ignored.
        let _ = if self.redraw {
            // The width is read for each line, because the terminal may have been resized.
            let line = fitting(&line, terminal::width(&err));
            write!(err, "\r\x1b[2K{line}").and_then(|()| err.flush())
        } else {
            writeln!(err, "{line}")
        };
    }

    /// Ends the line, so that what is printed next begins on a new one.
    fn end(&mut self) {
        if self.redraw && !self.quiet {
            let _ = writeln!(io::stderr().lock());
        }
    }
}

/// The beginning of a line that fits into a terminal of that width. A longer line would wrap, and its first
/// row could not be overwritten. The last column stays free, because some terminals wrap after it.
fn fitting(line: &str, width: Option<usize>) -> &str {
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(1));
    match line.char_indices().nth(room) {
        Some((end, _)) => line.get(..end).unwrap_or(line),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_to_the_width_of_a_narrow_terminal() {
        assert_eq!(fitting("20.0/s answered", Some(10)), "20.0/s an");
        assert_eq!(fitting("20.0/s answered", Some(16)), "20.0/s answered");
        assert_eq!(fitting("übermäßig", Some(4)), "übe");
        assert_eq!(fitting("20.0/s answered", Some(0)), "");
        assert_eq!(fitting("20.0/s answered", None), "20.0/s answered");
    }
}
