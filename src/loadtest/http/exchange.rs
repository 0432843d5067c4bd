//! One request and its whole answer.

use std::{cell::Cell, rc::Rc, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request, Uri,
    body::{Bytes, Incoming},
};

use super::{Failure, Own, Pool};
use crate::clock::RunClock;

/// The largest body that checks and extracts look at, in bytes, also after decoding. A body that nothing
/// looks at is read and dropped.
pub const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// A request that is ready to be sent any number of times.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The method of the request, such as `POST`.
    pub method: Method,
    /// Path and query for HTTP/1.1, the whole URL for HTTP/2.
    pub uri: Uri,
    /// All headers of the request, also those that vas adds.
    pub headers: Rc<HeaderMap>,
    /// Body; may be empty.
    pub body: Bytes,
}

/// The answer to one request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code, `100..=999`.
    pub status: u16,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// Body, if it was to be kept; otherwise empty.
    pub body: Bytes,
}

/// The result of one request.
#[derive(Debug)]
pub struct Exchange {
    /// When sending began, as time since the load began. To connect belongs to sending; to wait for a free
    /// connection slot does not. `None` if there was no slot in time, or no connection.
    pub sent: Option<Duration>,
    /// Whether it was sent twice, because the server ended the connection or refused the stream without an
    /// answer.
    pub retried: bool,
    /// The answer, or why there is none.
    pub answer: Result<Answer, Failure>,
    /// What was transferred over HTTP, even without a complete answer.
    pub traffic: Exchanged,
}

/// What was transferred over HTTP for one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exchanged {
    /// Status, if the head of an answer came.
    pub status: Option<u16>,
    /// Bytes of the request's body, if the head of an answer came.
    pub sent_bytes: u64,
    /// Bytes of the answer's body that came, still encoded.
    pub received_bytes: u64,
}

impl Exchanged {
    /// Adds the next request of a chain of redirects. The status becomes that of the last answer.
    pub(super) fn then(&mut self, next: Self) {
        self.status = next.status.or(self.status);
        self.sent_bytes += next.sent_bytes;
        self.received_bytes += next.received_bytes;
    }
}

/// What is known of a request in flight. It is kept outside of the request's future, so that it survives when
/// the future is dropped at the timeout.
#[derive(Debug)]
pub(super) struct Flight {
    clock: RunClock,
    sent: Cell<Option<Duration>>,
    again: Cell<bool>,
}

/// Sends a request and reads its whole answer, within `timeout` from now on. Uses the user's own connection
/// if there is one.
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

    /// Sending begins, with the connect. A second call changes nothing.
    pub(super) fn begin(&self) {
        if self.sent.get().is_none() {
            self.sent.set(Some(self.clock.elapsed()));
        }
    }

    /// The request has to wait for a connection, or there is none. It counts as not sent, unless it was sent
    /// once before.
    pub(super) fn wait(&self) {
        if !self.again.get() {
            self.sent.set(None);
        }
    }

    /// When sending began, as time since the load began.
    pub(super) fn sent(&self) -> Option<Duration> {
        self.sent.get()
    }

    /// Time since sending began.
    pub(super) fn elapsed(&self) -> Duration {
        let sent = self.sent.get().unwrap_or_default();
        self.clock.elapsed().saturating_sub(sent)
    }

    /// The request is sent a second time.
    pub(super) fn send_again(&self) {
        self.again.set(true);
    }

    /// Whether the request was sent a second time.
    pub(super) fn was_sent_again(&self) -> bool {
        self.again.get()
    }
}

impl Outgoing {
    /// A copy of the request, to send it once.
    pub(super) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = HeaderMap::clone(&self.headers);
        request
    }
}

/// Length of a body in bytes.
pub(super) fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Reads a body to its end and counts its bytes. The result is empty unless the body is to be kept.
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
