//! HTTP/2: many requests at a time on a connection. Another is opened when all have as many as a server usually allows.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{Failure, Target, connect, pool::Usage};

/// Requests at a time on one connection: what servers allow unless told otherwise (RFC 9113 recommends at least 100).
const STREAMS: u64 = 100;

/// Bytes that the headers of an answer may have, about as many as over HTTP/1.1.
const LARGEST_HEADERS: u32 = 400 * 1024;

/// Connections of one thread.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: RefCell<Vec<Connection>>,
}

#[derive(Clone, Debug)]
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    streams: Rc<Cell<u64>>,
}

/// A stream that is in use.
#[derive(Debug)]
pub(super) struct Busy {
    sender: SendRequest<Full<Bytes>>,
    streams: Rc<Cell<u64>>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.streams.set(self.streams.get().saturating_sub(1));
    }
}

impl Connection {
    fn stream(&self) -> Busy {
        self.streams.set(self.streams.get() + 1);
        Busy {
            sender: self.sender.clone(),
            streams: self.streams.clone(),
        }
    }
}

impl Connections {
    /// A stream on a connection with room, if there is one.
    pub(super) fn take(&self) -> Option<Busy> {
        let mut open = self.open.borrow_mut();
        open.retain(|connection| !connection.sender.is_closed());
        open.iter()
            .filter(|connection| connection.streams.get() < STREAMS)
            .min_by_key(|connection| connection.streams.get())
            .map(Connection::stream)
    }

    /// Opens a connection that others will use too.
    pub(super) async fn open(&self, target: &Target, usage: &Rc<Usage>) -> Result<Busy, Failure> {
        let stream = connect(target).await?;
        let open = usage.opened();
        let (sender, driver) = http2::Builder::new(TokioExecutor::new())
            .max_header_list_size(LARGEST_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Failure::connection(&error))?;
        tokio::task::spawn_local(async move {
            // Whoever sends on it learns what went wrong.
            let _ = driver.await;
            drop(open);
        });
        let connection = Connection {
            sender,
            streams: Rc::default(),
        };
        let busy = connection.stream();
        if !target.fresh_connections {
            self.open.borrow_mut().push(connection);
        }
        Ok(busy)
    }
}

impl Busy {
    /// Sends a request. A connection that the server closed meanwhile gives the request back unsent.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, (Failure, Option<Request<Full<Bytes>>>)> {
        if let Err(error) = self.sender.ready().await {
            return Err((Failure::connection(&error), Some(request)));
        }
        self.sender.try_send_request(request).await.map_err(|mut error| {
            let request = error.take_message();
            (Failure::connection(error.error()), request)
        })
    }
}
