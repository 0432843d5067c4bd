//! How a connection was lost, or why the bytes on it are no answer.

use super::System;

/// How a connection was lost, or why the bytes on it are no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Lost {
    /// The server closed it before the answer was complete.
    #[error("closed before the answer was complete")]
    Closed,
    /// The head of the answer is larger than this client accepts.
    #[error("the headers of the answer are too large")]
    HeadTooLarge,
    /// The bytes are not HTTP.
    #[error("the answer is not HTTP")]
    NotHttp,
    /// An error of the operating system.
    #[error("{0}")]
    System(System),
    /// Any other reason.
    #[error("lost")]
    Other,
}

impl From<&hyper::Error> for Lost {
    fn from(error: &hyper::Error) -> Self {
        if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            Self::Closed
        } else if error.is_parse_too_large() {
            Self::HeadTooLarge
        } else if error.is_parse() {
            Self::NotHttp
        } else {
            Self::Other
        }
    }
}
