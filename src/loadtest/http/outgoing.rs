//! A request that is ready to be sent, and what is known of it while it is in flight.

use std::{cell::Cell, rc::Rc, time::Duration};

use http_body_util::Full;
use hyper::{HeaderMap, Method, Request, Uri, body::Bytes};

use crate::clock::RunClock;

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

/// What is known of a request in flight. It is kept outside of the request's future, so that it survives when
/// the future is dropped at the timeout.
#[derive(Debug)]
pub(super) struct Flight {
    clock: RunClock,
    sent: Cell<Option<Duration>>,
    again: Cell<bool>,
}

impl Flight {
    pub(super) fn new(clock: RunClock) -> Self {
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
