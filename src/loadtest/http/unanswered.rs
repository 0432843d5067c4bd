//! A request without the first byte of an answer, and whether it is sent once more.
//!
//! Servers end idle connections when they like, also at the moment at which the next request comes. Every client sends
//! such a request again, so it is no failure of the service. What the server may have begun to do is not repeated, and
//! an end that comes while the server works on the request is a failure: a process that was killed must show.

use std::{error::Error, io, time::Duration};

use hyper::Method;

use super::Failure;

/// The end of an idle connection is known this soon after the request was sent, or within `ROUND_TRIPS`.
const SOON: Duration = Duration::from_millis(100);
/// One for the request to arrive, one for the end to come back, and one for a server that is busy.
const ROUND_TRIPS: u32 = 3;

/// A request without the first byte of an answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    /// What it is if it stays without one.
    pub(super) failure: Failure,
    end: End,
}

/// What is known of the end of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing of it was sent.
    Unsent,
    /// The server says that it looks at nothing more on the connection, and that this came after the last of it.
    AfterGoaway,
    /// The server says that it has not looked at it: REFUSED_STREAM.
    Refused,
    /// The server ended the connection, and nobody knows what became of the request.
    Lost,
    /// Anything else.
    Failed,
}

/// The circumstances of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'a> {
    /// Its method.
    pub(super) method: &'a Method,
    /// Whether the connection had served others.
    pub(super) used: bool,
    /// Whether it had also nothing to do at that moment.
    pub(super) idle: bool,
    /// Since it was sent.
    pub(super) elapsed: Duration,
    /// A round trip to the server, where it is known.
    pub(super) round_trip: Option<Duration>,
}

impl Unanswered {
    /// From an error of hyper. `unsent`: hyper gave the request back. `begun`: some of an answer came.
    pub(super) fn new(error: &hyper::Error, unsent: bool, begun: bool) -> Self {
        let end = match of_source(error) {
            _ if unsent => End::Unsent,
            Some(end) if !(begun && end == End::Lost) => end,
            None if error.is_incomplete_message() && !begun => End::Lost,
            _ => End::Failed,
        };
        Self {
            failure: Failure::connection(error),
            end,
        }
    }

    /// Whether it is sent once more.
    pub(super) fn once_more(&self, sent: Circumstances<'_>) -> bool {
        match self.end {
            // A connection on which nothing ever came is none that a server ends because it is idle.
            End::Unsent => sent.used,
            End::AfterGoaway | End::Refused => true,
            End::Lost => {
                let round_trips = sent.round_trip.unwrap_or_default() * ROUND_TRIPS;
                sent.idle && sent.method.is_idempotent() && sent.elapsed <= SOON.max(round_trips)
            }
            End::Failed => false,
        }
    }

    /// Whether its connection takes no more requests.
    pub(super) fn ends_connection(&self) -> bool {
        matches!(self.end, End::Unsent | End::AfterGoaway | End::Lost)
    }

    /// Whether some of it may have been sent.
    pub(super) fn was_sent(&self) -> bool {
        self.end != End::Unsent
    }
}

/// What h2 or the socket says.
fn of_source(error: &hyper::Error) -> Option<End> {
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
            // Streams up to the last of a GOAWAY that are lost later end with an error of the socket.
            return Some(match error.is_remote() {
                true if error.is_go_away() => End::AfterGoaway,
                true if refused => End::Refused,
                _ => End::Failed,
            });
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(match error.kind() {
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::NotConnected
                | io::ErrorKind::UnexpectedEof => End::Lost,
                _ => End::Failed,
            });
        }
        source = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Circumstances<'static> = Circumstances {
        method: &Method::GET,
        used: true,
        idle: true,
        elapsed: Duration::from_millis(20),
        round_trip: None,
    };

    fn once_more(end: End, sent: Circumstances<'_>) -> bool {
        let failure = Failure::Other;
        Unanswered { failure, end }.once_more(sent)
    }

    #[test]
    fn only_what_can_do_no_harm_twice_is_sent_again_when_an_idle_connection_ends() {
        let again = [
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::PUT,
            Method::DELETE,
            Method::TRACE,
        ];
        for method in &again {
            assert!(once_more(End::Lost, Circumstances { method, ..IDLE }), "{method}");
        }
        for method in &[Method::POST, Method::PATCH] {
            assert!(
                !once_more(End::Lost, Circumstances { method, ..IDLE }),
                "{method}"
            );
            for end in [End::AfterGoaway, End::Refused, End::Unsent] {
                assert!(
                    once_more(end, Circumstances { method, ..IDLE }),
                    "{method} {end:?}"
                );
            }
        }
        assert!(!once_more(End::Failed, IDLE));
        assert!(!once_more(End::Lost, Circumstances { idle: false, ..IDLE }));
        assert!(!once_more(End::Unsent, Circumstances { used: false, ..IDLE }));
    }

    #[test]
    fn an_end_that_comes_late_is_a_failure_of_the_service() {
        let after = |millis, round_trip| Circumstances {
            elapsed: Duration::from_millis(millis),
            round_trip,
            ..IDLE
        };
        assert!(once_more(End::Lost, after(100, None)));
        assert!(!once_more(End::Lost, after(101, None)));
        assert!(!once_more(End::Lost, after(101, Some(Duration::from_millis(20)))));
        assert!(once_more(End::Lost, after(290, Some(Duration::from_millis(100)))));
        assert!(!once_more(
            End::Lost,
            after(310, Some(Duration::from_millis(100)))
        ));
    }
}
