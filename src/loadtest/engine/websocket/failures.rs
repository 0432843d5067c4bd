//! The causes for which a connection fails, in words that count together: the words contain no sizes, reasons
//! or positions that the server chooses.

use std::time::Duration;

use tokio_tungstenite::tungstenite::{
    Error, error::ProtocolError, protocol::CloseFrame, protocol::frame::coding::CloseCode,
};

use crate::http::{Detail, Failure, in_words};

/// Why a connection was lost, or could not be made.
pub(super) fn of(error: &Error) -> Failure {
    let words = match error {
        Error::Http(response) => return Failure::Status(response.status().as_u16()),
        Error::Io(error) => return Failure::connection(error),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => "lost without a close frame (1006)",
        Error::Capacity(_) => "a message was larger than maxMessageBytes",
        Error::Utf8(_) => "a text was not UTF-8",
        Error::Protocol(
            ProtocolError::HttparseError(_)
            | ProtocolError::WrongHttpVersion
            | ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader
            | ProtocolError::SecWebSocketAcceptKeyMismatch
            | ProtocolError::SecWebSocketSubProtocolError(_)
            | ProtocolError::HandshakeIncomplete,
        ) => "the server did not upgrade the connection",
        Error::Protocol(_) => "the server broke the protocol",
        _ => "lost",
    };
    Failure::WebSocket(words.to_owned(), Detail::of(error))
}

/// The server ended the connection with a close frame.
pub(super) fn closed(frame: Option<&CloseFrame>) -> Failure {
    let words = match frame {
        None => "the server closed it without a code (1005)".to_owned(),
        Some(frame) => format!(
            "the server closed it with {}{}",
            u16::from(frame.code),
            meaning(frame.code)
        ),
    };
    let reason = frame.map_or("", |frame| frame.reason.as_str());
    Failure::WebSocket(words, Detail::of(reason))
}

/// Something that was awaited did not come in time.
pub(super) fn nothing(what: &str, waited: Duration) -> Failure {
    Failure::WebSocket(
        format!("{what} in time"),
        Detail::of(format_args!("none within {}", in_words(waited))),
    )
}

/// The run was over before the connection was.
pub(super) fn unended() -> Failure {
    Failure::WebSocket("not over when the test was".to_owned(), Detail::NONE)
}

/// The meaning of a close code as registered (RFC 6455, section 7.4.1, and IANA).
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
