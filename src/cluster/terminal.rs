//! What the terminal behind a stream can do, judged by whether there is one, by `TERM` and by `NO_COLOR`.
//!
//! Without a terminal, and on a `dumb` one, text is written line by line and without escape sequences.

use std::{
    env,
    ffi::{OsStr, OsString},
    io::IsTerminal,
    os::fd::AsFd,
};

/// Whether a line on this stream can be overwritten with escape sequences: every terminal but a dumb one
/// knows them.
pub fn redraws(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && !dumb(env::var_os("TERM").as_deref())
}

/// Whether text on this stream may have colours: not where `NO_COLOR` is set (<https://no-color.org>).
pub fn colours(stream: &impl IsTerminal) -> bool {
    redraws(stream) && !unwanted(env::var_os("NO_COLOR"))
}

/// Characters that fit into a line of the terminal; `None` where that is not known.
pub fn width(stream: &impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Whether the terminal knows no escape sequences. That is assumed of one without `TERM`.
fn dumb(term: Option<&OsStr>) -> bool {
    term.is_none_or(|term| term.is_empty() || term == "dumb")
}

fn unwanted(no_color: Option<OsString>) -> bool {
    no_color.is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dumb_terminal_and_one_that_says_nothing_are_not_written_over() {
        for (term, is) in [
            (None, true),
            (Some(""), true),
            (Some("dumb"), true),
            (Some("xterm-256color"), false),
            (Some("linux"), false),
        ] {
            assert_eq!(dumb(term.map(OsStr::new)), is, "{term:?}");
        }
    }

    #[test]
    fn colours_are_unwanted_where_the_variable_has_any_value() {
        assert!(unwanted(Some("1".into())) && unwanted(Some("0".into())));
        assert!(!unwanted(None) && !unwanted(Some("".into())));
    }

    #[test]
    fn what_is_no_terminal_has_no_width_and_no_colours() {
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(
            (width(&file), redraws(&file), colours(&file)),
            (None, false, false)
        );
    }
}
