//! The result of a read as data: a failed read does not end the others, so it is kept beside what was read.

use std::fmt;

/// The result of a read.
pub type Read<T> = Result<T, Unread>;

/// Why a read has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The object, or its kind, does not exist.
    NotFound,
    /// The caller has no right to read it; the text is the API server's message.
    Forbidden(String),
    /// Any other failure; the text is the message of the client or the server.
    Failed(String),
    /// The read was not tried; the text says why.
    NotAsked(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("it does not exist"),
            Self::Forbidden(words) => write!(f, "you may not read it: {words}"),
            Self::Failed(words) => write!(f, "it could not be read: {words}"),
            Self::NotAsked(why) => f.write_str(why),
        }
    }
}
