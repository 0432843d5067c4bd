//! HTTP/1.1: one request at a time on a connection.

use std::{cell::RefCell, rc::Rc};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::AbortHandle,
};

use super::{
    Failure,
    dialer::Dialer,
    unanswered::Unanswered,
    upload::{Refused, Upload},
    wire::Received,
};

/// The greatest number of headers of an answer. All of them together have hyper's limit of 400 KiB.
const MOST_HEADERS: usize = 256;

/// Begins HTTP/1.1 on a stream. The result is a sender for requests and the future that drives the
/// connection.
pub(super) async fn handshake<S>(
    stream: S,
) -> Result<
    (
        SendRequest<Full<Bytes>>,
        http1::Connection<TokioIo<S>, Full<Bytes>>,
    ),
    Failure,
>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    http1::Builder::new()
        .max_headers(MOST_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Failure::connection(&error))
}

/// Idle connections of one thread. The one used last is taken first.
#[derive(Debug, Default)]
pub(super) struct Connections {
    idle: RefCell<Vec<Connection>>,
}

/// A connection. If it is dropped in the middle of an exchange, such as an upload that the server does not
/// read, it is closed at once.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    received: Rc<Received>,
    refused: Refused,
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.sender.is_ready() {
            self.driver.abort();
        }
    }
}

impl Connections {
    /// An idle connection that still works, if there is one.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        while let Some(connection) = idle.pop() {
            if connection.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps an idle connection for the next request.
    pub(super) fn give_back(&self, connection: Connection) {
        self.idle.borrow_mut().push(connection);
    }
}

impl Connection {
    /// Opens a connection.
    pub(super) async fn open(dialer: &Dialer) -> Result<Self, Failure> {
        let (wire, open) = dialer.dial().await?;
        let received = wire.received();
        let upload = Upload::new(wire);
        let refused = upload.refused();
        let (sender, connection) = handshake(upload).await?;
        let driver = tokio::task::spawn_local(async move {
            // An error of the connection also reaches the request that is sent on it.
            let _ = connection.await;
            drop(open);
        });
        Ok(Self {
            sender,
            received,
            refused,
            driver: driver.abort_handle(),
        })
    }

    /// Whether the connection can take a request now.
    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Sends a request.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let before = self.received.bytes();
        let sent = self.sender.try_send_request(request).await;
        sent.map_err(|mut error| {
            let unsent = error.take_message().is_some();
            Unanswered::new(error.error(), unsent, self.received.bytes() > before)
        })
    }

    /// The connection, if it can take another request after its answer was read. It is not awaited for long:
    /// a connection that is still busy is sending the rest of an upload, and that may take any time.
    pub(super) async fn again(self) -> Option<Self> {
        /// How often to yield. The task that drives the connection needs at most one turn to see that the
        /// exchange is over.
        const TURNS: u32 = 4;
        for _ in 0..TURNS {
            if self.is_ready() {
                return (!self.refused.is()).then_some(self);
            }
            tokio::task::yield_now().await;
        }
        None
    }
}
