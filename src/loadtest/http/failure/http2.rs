//! Reasons of HTTP/2 (RFC 9113, section 7).

use std::fmt;

/// Names of the reasons, by their numbers.
const NAMES: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

/// How a stream or connection of HTTP/2 ended before its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ended {
    how: How,
    /// `None` for numbers that the RFC does not know, of which a server could send four billion.
    reason: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// The server sent everybody on the connection away.
    GoAway,
    /// The server ended one stream.
    Reset,
    /// This side found that the server broke the protocol.
    Broken,
}

impl Ended {
    /// What an error says, if it has a reason.
    pub(super) fn of(error: &h2::Error) -> Option<Self> {
        let number = u32::from(error.reason()?);
        let how = match (error.is_remote(), error.is_go_away()) {
            (true, true) => How::GoAway,
            (true, false) => How::Reset,
            (false, _) => How::Broken,
        };
        let reason = usize::try_from(number)
            .ok()
            .and_then(|number| NAMES.get(number).copied());
        Some(Self { how, reason })
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.how {
            How::GoAway => "GOAWAY",
            How::Reset => "RST_STREAM",
            How::Broken => "the server broke the protocol,",
        })?;
        match self.reason {
            Some(reason) => write!(f, " {reason}"),
            None => f.write_str(" with an unknown reason"),
        }
    }
}
