//! One request and its whole answer.

use std::{cell::Cell, rc::Rc, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request, Uri,
    body::{Bytes, Incoming},
};

use super::{Failure, Own, Pool};
use crate::loadtest::clock::RunClock;

/// Largest body, also when it is decoded, that checks and extractions look at; others are read and dropped.
pub const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// A request that is ready to be sent, as often as wanted.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Method.
    pub method: Method,
    /// Path and query for HTTP/1.1, the whole URL for HTTP/2.
    pub uri: Uri,
    /// All headers.
    pub headers: Rc<HeaderMap>,
    /// Body; may be empty.
    pub body: Bytes,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, where it was to be kept.
    pub body: Bytes,
}

/// What came of one request.
#[derive(Debug)]
pub struct Exchange {
    /// When sending it began, from the begin of the run: to connect is part of it, to wait for room within the limit of
    /// connections is not. `None` if there was no room in time, or no connection.
    pub sent: Option<Duration>,
    /// Whether it was sent twice, because its connection ended as connections end.
    pub retried: bool,
    /// The answer, or why there is none.
    pub answer: Result<Answer, Failure>,
    /// What went over HTTP, also where there is no whole answer.
    pub traffic: Exchanged,
}

/// What went over HTTP for one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exchanged {
    /// The status, if the head of an answer came.
    pub status: Option<u16>,
    /// The body of the request, if the head of an answer came.
    pub sent_bytes: u64,
    /// The body of the answer as far as it came, as it was on the wire.
    pub received_bytes: u64,
}

impl Exchanged {
    /// Adds what went over HTTP for a request that an answer led to: the status is that of the last answer.
    pub(super) fn then(&mut self, next: Self) {
        self.status = next.status.or(self.status);
        self.sent_bytes += next.sent_bytes;
        self.received_bytes += next.received_bytes;
    }
}

/// What is known of a request while it is under way, also when it is given up in the middle.
#[derive(Debug)]
pub(super) struct Flight {
    clock: RunClock,
    sent: Cell<Option<Duration>>,
    again: Cell<bool>,
}

/// Sends a request and reads its whole answer, within `timeout` from now on; on the user's own connection, where it has
/// one.
pub async fn exchange(
    pool: &Pool,
    mut own: Option<&mut Own>,
    outgoing: &Outgoing,
    keep_body: bool,
    timeout: Duration,
    clock: RunClock,
) -> Exchange {
    let flight = Flight::new(clock);
    let mut traffic = Exchanged::default();
    let answered = tokio::time::timeout(timeout, async {
        let place = pool.place(own.as_deref_mut(), &flight).await?;
        let (place, response) = pool.send(place, outgoing, &flight).await?;
        let (parts, body) = response.into_parts();
        traffic.status = Some(parts.status.as_u16());
        traffic.sent_bytes = length(&outgoing.body);
        let body = read(body, keep_body, &mut traffic.received_bytes).await?;
        pool.give_back(place, own).await;
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    })
    .await;
    Exchange {
        sent: flight.sent(),
        retried: flight.was_sent_again(),
        answer: answered.unwrap_or(Err(Failure::Timeout(timeout))),
        traffic,
    }
}

impl Flight {
    fn new(clock: RunClock) -> Self {
        Self {
            clock,
            sent: Cell::new(None),
            again: Cell::new(false),
        }
    }

    /// Sending begins, which is to connect first; not again what has begun.
    pub(super) fn begin(&self) {
        if self.sent.get().is_none() {
            self.sent.set(Some(self.clock.elapsed()));
        }
    }

    /// It has to wait for a connection, or there is none: nothing of it was sent, unless it was before.
    pub(super) fn wait(&self) {
        if !self.again.get() {
            self.sent.set(None);
        }
    }

    /// When sending began.
    pub(super) fn sent(&self) -> Option<Duration> {
        self.sent.get()
    }

    /// Since sending began.
    pub(super) fn elapsed(&self) -> Duration {
        let sent = self.sent.get().unwrap_or_default();
        self.clock.elapsed().saturating_sub(sent)
    }

    /// It is sent once more.
    pub(super) fn send_again(&self) {
        self.again.set(true);
    }

    /// Whether it was.
    pub(super) fn was_sent_again(&self) -> bool {
        self.again.get()
    }
}

impl Outgoing {
    /// The request as it is sent once.
    pub(super) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = HeaderMap::clone(&self.headers);
        request
    }
}

/// Bytes of a body.
pub(super) fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Reads a body to its end, counts its bytes, and gives it back where it is to be kept.
pub(super) async fn read(mut body: Incoming, keep: bool, received: &mut u64) -> Result<Bytes, Failure> {
    let mut kept = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::connection(&error))?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        *received += length(data);
        if keep {
            if kept.len() + data.len() > LARGEST_BODY {
                return Err(Failure::TooLarge(LARGEST_BODY));
            }
            kept.extend_from_slice(data);
        }
    }
    Ok(kept.into())
}
