//! Standard error of commands.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints a line to standard error. A closed standard error is ignored.
pub(crate) fn say(words: &str) {
    let _ = writeln!(io::stderr().lock(), "{words}");
}

/// Prints an error with the prefix that all commands use. What an API server answered has kubectl's prefix already.
pub(crate) fn complain(error: impl Display) {
    let error = error.to_string();
    if error.starts_with("Error from server (") {
        say(&error);
    } else {
        say(&format!("error: {error}"));
    }
}
