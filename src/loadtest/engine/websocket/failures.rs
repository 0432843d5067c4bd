//! How a connection ends before its time, in words that count together: no sizes, reasons or positions that the server
//! chooses.

use std::time::Duration;

use tokio_tungstenite::tungstenite::{
    Error, error::ProtocolError, protocol::CloseFrame, protocol::frame::coding::CloseCode,
};

use crate::loadtest::http::{Failure, in_words};

/// Why a connection was lost, or not made.
pub(super) fn of(error: Error) -> Failure {
    match error {
        Error::Http(response) => Failure::Status(response.status().as_u16()),
        Error::Io(error) => Failure::connection(&error),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => Failure::WebSocket("lost without a close frame (1006)".to_owned()),
        Error::Capacity(_) => Failure::WebSocket("a message was larger than maxMessageBytes".to_owned()),
        Error::Utf8(_) => Failure::WebSocket("a text was not UTF-8".to_owned()),
        Error::Protocol(error) => Failure::WebSocket(error.to_string()),
        other => Failure::Connection(other.to_string()),
    }
}

/// The server ended it with a close frame.
pub(super) fn closed(frame: Option<&CloseFrame>) -> Failure {
    let words = match frame {
        None => "the server closed it without a code (1005)".to_owned(),
        Some(frame) => format!(
            "the server closed it with {}{}",
            u16::from(frame.code),
            meaning(frame.code)
        ),
    };
    Failure::WebSocket(words)
}

/// Something that was waited for did not come in time.
pub(super) fn nothing(what: &str, waited: Duration) -> Failure {
    Failure::WebSocket(format!("{what} within {}", in_words(waited)))
}

/// What a close code means, as it is registered (RFC 6455, section 7.4.1, and IANA).
fn meaning(code: CloseCode) -> &'static str {
    match u16::from(code) {
        1000 => " (normal closure)",
        1001 => " (going away)",
        1002 => " (protocol error)",
        1003 => " (unsupported data)",
        1007 => " (invalid payload)",
        1008 => " (policy violation)",
        1009 => " (message too big)",
        1010 => " (extension missing)",
        1011 => " (internal error)",
        1012 => " (service restart)",
        1013 => " (try again later)",
        1014 => " (bad gateway)",
        _ => "",
    }
}
