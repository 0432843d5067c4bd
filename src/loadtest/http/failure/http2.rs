//! HTTP/2 error codes (RFC 9113, section 7).

use std::fmt;

/// Names of the error codes, by number.
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

/// How an HTTP/2 stream or connection ended before its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ended {
    how: How,
    /// `None` for codes that the RFC does not define. Without that, a server could create four billion
    /// different causes.
    reason: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// The server ended the connection for all its streams.
    GoAway,
    /// The server ended one stream.
    Reset,
    /// This client found that the server broke the protocol.
    Broken,
}

impl Ended {
    /// The HTTP/2 error code in an error, if it has one.
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
