//! HTTP/1.1: one request at a time on a connection. A connection is taken from the idle ones, the last used first, or
//! opened; nothing has to be guessed beforehand.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;

use super::{Failure, Target, connect, pool::Usage};

/// Headers that an answer may have; hyper's own limit of 400 KiB holds for all of them together.
pub(super) const MOST_HEADERS: usize = 256;

type Sender = SendRequest<Full<Bytes>>;

/// Connections of one thread.
#[derive(Debug, Default)]
pub(super) struct Connections {
    idle: RefCell<Vec<Sender>>,
}

/// A connection that is in use.
#[derive(Debug)]
pub(super) struct Busy(Sender);

impl Connections {
    /// An idle connection, if there is one that still works.
    pub(super) fn take(&self) -> Option<Busy> {
        let mut idle = self.idle.borrow_mut();
        while let Some(sender) = idle.pop() {
            if sender.is_ready() {
                return Some(Busy(sender));
            }
        }
        None
    }

    /// Gives a connection back whose answer was read.
    pub(super) async fn give_back(&self, busy: Busy) {
        let Busy(mut sender) = busy;
        if sender.ready().await.is_ok() {
            self.idle.borrow_mut().push(sender);
        }
    }
}

impl Busy {
    /// Opens a connection.
    pub(super) async fn open(target: &Target, usage: &Rc<Usage>) -> Result<Self, Failure> {
        let stream = connect(target).await?;
        let open = usage.opened();
        let (sender, connection) = http1::Builder::new()
            .max_headers(MOST_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Failure::connection(&error))?;
        tokio::task::spawn_local(async move {
            // Whoever sends on it learns what went wrong.
            let _ = connection.await;
            drop(open);
        });
        Ok(Self(sender))
    }

    /// Sends a request. A connection that the server closed meanwhile gives the request back unsent.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, (Failure, Option<Request<Full<Bytes>>>)> {
        self.0.try_send_request(request).await.map_err(|mut error| {
            let request = error.take_message();
            (Failure::connection(error.error()), request)
        })
    }
}

/// Counts a connection as open until it is dropped.
#[derive(Debug)]
pub(super) struct Open(pub(super) Rc<Cell<u64>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
