//! HTTP/1.1: one request at a time on a connection.

use std::{cell::RefCell, rc::Rc};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;

use super::{Failure, dialer::Dialer, unanswered::Unanswered, wire::Heard};

/// Headers that an answer may have; hyper's own limit of 400 KiB holds for all of them together.
pub(super) const MOST_HEADERS: usize = 256;

/// Connections of one thread that nobody uses now; the last used one is taken first.
#[derive(Debug, Default)]
pub(super) struct Connections {
    idle: RefCell<Vec<Connection>>,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    heard: Rc<Heard>,
}

impl Connections {
    /// An idle connection, if there is one that still works.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        while let Some(connection) = idle.pop() {
            if connection.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for whoever comes next.
    pub(super) fn give_back(&self, connection: Connection) {
        self.idle.borrow_mut().push(connection);
    }
}

impl Connection {
    /// Opens a connection.
    pub(super) async fn open(dialer: &Dialer) -> Result<Self, Failure> {
        let (wire, open) = dialer.dial().await?;
        let heard = wire.heard();
        let (sender, connection) = http1::Builder::new()
            .max_headers(MOST_HEADERS)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|error| Failure::connection(&error))?;
        tokio::task::spawn_local(async move {
            // Whoever sends on it learns what went wrong.
            let _ = connection.await;
            drop(open);
        });
        Ok(Self { sender, heard })
    }

    /// Whether it takes a request now.
    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Sends a request.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let before = self.heard.bytes();
        let sent = self.sender.try_send_request(request).await;
        sent.map_err(|mut error| {
            let unsent = error.take_message().is_some();
            Unanswered::new(error.error(), unsent, self.heard.bytes() > before)
        })
    }

    /// The connection again when its answer was read, if it takes another request.
    pub(super) async fn again(mut self) -> Option<Self> {
        self.sender.ready().await.is_ok().then_some(self)
    }
}
