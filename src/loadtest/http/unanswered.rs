//! A request without a single byte of an answer, and whether to send it once more.
//!
//! Servers end idle connections at any time, even at the moment at which the next request comes. Every HTTP
//! client sends such a request again, so that is no failure of the service. Two things still count as
//! failures: a request that the server may have begun to process, because it must not be repeated; and a
//! connection that ends while the server works, because the crash of a server must show.

use std::{error::Error, io, time::Duration};

use hyper::Method;

use super::Failure;

/// A server that ended an idle connection shows that within this time after the request was sent, or within
/// `ROUND_TRIPS`.
const SOON: Duration = Duration::from_millis(100);
/// One round trip for the request to arrive, one for the end to come back, and one for a busy server.
const ROUND_TRIPS: u32 = 3;

/// A request without a single byte of an answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    /// The failure, if the request is not sent again.
    pub(super) failure: Failure,
    end: End,
}

/// How a request ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing of the request was sent.
    Unsent,
    /// The server sent GOAWAY, and the request came after the last stream that the server processes.
    AfterGoaway,
    /// The server says that it has not processed the request: REFUSED_STREAM.
    Refused,
    /// The server ended the connection. Nobody knows whether it processed the request.
    Lost,
    /// Any other end.
    Failed,
}

/// The circumstances in which a request was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'a> {
    /// The method of the request: only an idempotent request may be sent again.
    pub(super) method: &'a Method,
    /// Whether the connection had answered a request before.
    pub(super) used: bool,
    /// Whether it also had no other request in flight at that moment.
    pub(super) idle: bool,
    /// Time since the request was sent.
    pub(super) elapsed: Duration,
    /// A round trip to the server, if it is known.
    pub(super) round_trip: Option<Duration>,
}

impl Unanswered {
    /// Classifies an error of hyper. `unsent`: hyper gave the request back. `begun`: some bytes of an answer
    /// came.
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

    /// Whether to send the request once more.
    pub(super) fn once_more(&self, sent: Circumstances<'_>) -> bool {
        match self.end {
            // A connection on which no answer ever came was not ended because it was idle.
            End::Unsent => sent.used,
            End::AfterGoaway | End::Refused => true,
            End::Lost => {
                let round_trips = sent.round_trip.unwrap_or_default() * ROUND_TRIPS;
                // The server ended an idle connection if nothing else was in flight and the end came at once.
                // Even then it may have processed the request, so only idempotent methods are repeated.
                sent.idle && sent.method.is_idempotent() && sent.elapsed <= SOON.max(round_trips)
            }
            End::Failed => false,
        }
    }

    /// Whether the connection takes no more requests.
    pub(super) fn ends_connection(&self) -> bool {
        matches!(self.end, End::Unsent | End::AfterGoaway | End::Lost)
    }

    /// Whether some of the request may have been sent.
    pub(super) fn was_sent(&self) -> bool {
        self.end != End::Unsent
    }
}

/// The end according to h2 or the socket, the innermost causes.
fn of_source(error: &hyper::Error) -> Option<End> {
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
            // After a GOAWAY the server still answers earlier streams. If one of those is lost, its error is
            // one of the socket.
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
