//! Errors of the operating system, without the parts that differ each time.

use std::{fmt, io};

/// An error of the operating system, without addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// An error that has a name in the standard library, such as "connection refused".
    Kind(io::ErrorKind),
    /// An error without a name in the standard library, by its number, such as "Too many open files".
    Number(i32),
}

impl From<&io::Error> for System {
    fn from(error: &io::Error) -> Self {
        // `io::ErrorKind::Uncategorized` cannot be matched in stable Rust; only its text shows it.
        const NAMELESS: &str = "uncategorized error";
        match error.raw_os_error() {
            Some(number) if error.kind().to_string() == NAMELESS => Self::Number(number),
            _ => Self::Kind(error.kind()),
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::Number(number) => {
                let words = io::Error::from_raw_os_error(*number).to_string();
                f.write_str(words.split(" (os error").next().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_no_numbers_and_no_details() {
        let words = |error: &io::Error| System::from(error).to_string();
        assert_eq!(words(&io::Error::from_raw_os_error(111)), "connection refused");
        assert_eq!(words(&io::Error::from_raw_os_error(24)), "Too many open files");
        let custom = io::Error::new(io::ErrorKind::UnexpectedEof, "after 17 bytes");
        assert_eq!(words(&custom), "unexpected end of file");
    }
}
