//! One HTTP/2 connection and the streams on it.

use std::{
    cell::Cell,
    future::poll_fn,
    pin::Pin,
    rc::{Rc, Weak},
    task::Poll,
};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http2::{Builder, SendRequest},
};
use hyper_util::rt::TokioIo;

use super::Connections;
use crate::http::{Detail, Failure, Lost, dialer::Dialer, slots::Room, unanswered::Unanswered};

/// Streams on one connection to a server that sets no limit. Go's client uses the same number.
const WITHOUT_LIMIT: usize = 1000;
/// Stands for "the server has not sent its SETTINGS yet". No server can set this value.
const UNSAID: usize = usize::MAX - 1;

/// The greatest size of an answer's headers, in bytes; about the same as over HTTP/1.1.
const LARGEST_HEADERS: u32 = 400 * 1024;

/// An open HTTP/2 connection, shared by the users of one thread.
#[derive(Debug)]
pub(in crate::http) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    load: Rc<Load>,
    /// Whether any request was answered on it.
    used: Cell<bool>,
    /// Whether the server has sent GOAWAY, or is gone.
    over: Cell<bool>,
    /// The connections whose waiting requests get its free streams. Dangling for a connection that is not
    /// shared.
    shared: Weak<Connections>,
}

/// The use of a connection.
#[derive(Debug)]
struct Load {
    /// Streams in use.
    streams: Cell<usize>,
    /// Streams that the server allows now.
    allowed: Cell<usize>,
}

/// A stream on a connection.
#[derive(Debug)]
pub(in crate::http) struct Stream {
    connection: Rc<Connection>,
    /// Whether the connection had answered a request before.
    pub(in crate::http) used: bool,
    /// Whether it also had no stream in use when this one was taken.
    pub(in crate::http) idle: bool,
}

impl Connection {
    /// Opens a connection, and waits until the server has said in its SETTINGS how many streams it allows.
    /// With a guess instead, the server would refuse the streams beyond its limit.
    pub(in crate::http) async fn open(
        dialer: &Dialer,
        room: Room,
        shared: Weak<Connections>,
    ) -> Result<Rc<Self>, Failure> {
        let (wire, open) = dialer.dial().await?;
        let received = wire.received();
        // h2 starts with this number of streams until SETTINGS come, so the number tells whether they have
        // come.
        let (sender, mut driver) = Builder::new(Local)
            .initial_max_send_streams(UNSAID)
            .max_header_list_size(LARGEST_HEADERS)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|error| Failure::connection(&error))?;
        let said = poll_fn(|context| {
            received.wake_at_more(context);
            match driver.current_max_send_streams() {
                UNSAID => Pin::new(&mut driver).poll(context).map(Err),
                said => Poll::Ready(Ok(said)),
            }
        });
        let said = said.await.map_err(|ended| match ended {
            Err(error) => Failure::connection(&error),
            Ok(()) => Failure::Connection(
                Lost::Closed,
                Detail::of("before the first settings of the server"),
            ),
        })?;
        let load = Rc::new(Load {
            streams: Cell::new(0),
            allowed: Cell::new(bounded(said)),
        });
        let (now, waiting) = (load.clone(), shared.clone());
        tokio::task::spawn_local(async move {
            // An error of the connection also reaches the request that is sent on it.
            let _ = poll_fn(|context| {
                let allowed = bounded(driver.current_max_send_streams());
                if allowed > now.allowed.replace(allowed)
                    && let Some(waiting) = waiting.upgrade()
                {
                    waiting.retry_waiting();
                }
                // Requests wait for a stream: poll again when bytes come, because they may be SETTINGS that
                // allow more streams.
                if now.streams.get() >= allowed {
                    received.wake_at_more(context);
                }
                Pin::new(&mut driver).poll(context)
            })
            .await;
            // The slot is free only when the socket is closed, so the driver goes first.
            drop((driver, open, room));
            if let Some(waiting) = waiting.upgrade() {
                waiting.retry_waiting();
            }
        });
        Ok(Rc::new(Self {
            sender,
            load,
            used: Cell::new(false),
            over: Cell::new(false),
            shared,
        }))
    }

    /// Streams in use.
    pub(super) fn streams(&self) -> usize {
        self.load.streams.get()
    }

    /// Streams that the server allows now.
    pub(super) fn allowed(&self) -> usize {
        self.load.allowed.get()
    }

    /// Whether the connection takes no more requests.
    pub(in crate::http) fn is_closed(&self) -> bool {
        self.over.get() || self.sender.is_closed()
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unanswered> {
        let mut sender = self.sender.clone();
        if let Err(error) = sender.ready().await {
            return Err(Unanswered::new(&error, true, false));
        }
        let response = sender.try_send_request(request).await.map_err(|mut error| {
            let unsent = error.take_message().is_some();
            Unanswered::new(error.error(), unsent, false)
        })?;
        self.used.set(true);
        Ok(response)
    }

    /// Takes a stream on the connection.
    pub(in crate::http) fn stream(self: &Rc<Self>) -> Stream {
        let streams = self.streams();
        self.load.streams.set(streams + 1);
        Stream {
            connection: self.clone(),
            used: self.used.get(),
            idle: streams == 0 && self.used.get(),
        }
    }
}

fn bounded(said: usize) -> usize {
    if said == usize::MAX { WITHOUT_LIMIT } else { said }
}

impl Stream {
    /// The connection of the stream.
    pub(in crate::http) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// Sends a request.
    pub(in crate::http) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let unanswered = match self.connection.send(request).await {
            Ok(response) => return Ok(response),
            Err(unanswered) => unanswered,
        };
        if unanswered.ends_connection() {
            self.connection.over.set(true);
        }
        Err(unanswered)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let streams = &self.connection.load.streams;
        streams.set(streams.get().saturating_sub(1));
        if let Some(shared) = self.connection.shared.upgrade() {
            shared.given_back();
        }
    }
}

/// Spawns the tasks of a connection on its own thread.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
