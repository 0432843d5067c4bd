//! One request and its whole answer.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::{
    HeaderMap,
    body::{Bytes, Incoming},
};

use super::{
    Failure, Own, Pool,
    outgoing::{Flight, Outgoing},
};
use crate::clock::RunClock;

/// The largest body that checks and extracts look at, in bytes, also after decoding. A body that nothing
/// looks at is read and dropped.
pub const LARGEST_BODY: usize = 16 * 1024 * 1024;

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
