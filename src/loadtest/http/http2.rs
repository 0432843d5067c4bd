//! HTTP/2: many requests at a time on a connection, as many as its server allows.
//!
//! A request takes a stream on the connection that has the fewest. Where none is free it waits for a connection that is
//! being opened, which is for as many requests as the server is expected to allow; where another may be opened, that is
//! begun; and where the limit of connections is reached it waits for a stream of somebody else, or for room.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
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
use tokio::sync::oneshot;

use super::{
    Detail, Failure, Lost,
    dialer::{Dialer, Room},
    exchange::Flight,
    unanswered::Unanswered,
};

/// What a server is expected to allow before it has said so (RFC 9113 recommends at least 100).
const EXPECTED: usize = 100;
/// Streams on one connection to a server that sets no limit: what Go's client takes then.
const WITHOUT_LIMIT: usize = 1000;
/// Stands for the limit of a server that has not said anything yet; no server can say it.
const UNSAID: usize = usize::MAX - 1;

/// Bytes that the headers of an answer may have, about as many as over HTTP/1.1.
const LARGEST_HEADERS: u32 = 400 * 1024;

/// The connections that the requests of one thread share.
#[derive(Debug)]
pub(super) struct Connections {
    dialer: Rc<Dialer>,
    open: RefCell<Vec<Rc<Connection>>>,
    openings: RefCell<Vec<Rc<Opening>>>,
    waiting: RefCell<VecDeque<Waiter>>,
    /// What the last server allowed.
    expected: Cell<usize>,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    streams: Cell<usize>,
    allowed: Rc<Cell<usize>>,
    /// Whether anything was answered on it.
    used: Cell<bool>,
    /// Whether its server has said goodbye, or is gone.
    over: Cell<bool>,
    /// Who waits for its streams; nobody for a connection that is not shared.
    shared: Weak<Connections>,
}

/// A connection that is being opened, and who waits for it.
#[derive(Debug, Default)]
struct Opening(RefCell<Vec<Waiter>>);

type Waiter = oneshot::Sender<Turn>;

/// What a request that waits is told.
#[derive(Debug)]
enum Turn {
    /// Here is a stream.
    Stream(Stream),
    /// Look again.
    Look,
    /// The connection could not be opened.
    Failed(Failure),
}

/// A stream on a connection.
#[derive(Debug)]
pub(super) struct Stream {
    connection: Rc<Connection>,
    /// Whether the connection had served others.
    pub(super) used: bool,
    /// Whether it had also nothing to do when the stream was taken.
    pub(super) idle: bool,
}

impl Connections {
    pub(super) fn new(dialer: Rc<Dialer>) -> Self {
        Self {
            dialer,
            open: RefCell::default(),
            openings: RefCell::default(),
            waiting: RefCell::default(),
            expected: Cell::new(EXPECTED),
        }
    }

    /// A stream as soon as there is one. Connecting is part of the flight, to wait within the limit is not.
    pub(super) async fn stream(self: &Rc<Self>, flight: &Flight) -> Result<Stream, Failure> {
        self.serve();
        let mut waited = false;
        // Who has waited is not put behind those who come.
        while waited || !self.anybody_waits() {
            if let Some(stream) = self.free() {
                flight.begin();
                return Ok(stream);
            }
            let (tell, told) = oneshot::channel();
            if let Err(tell) = self.join(tell) {
                let Some(room) = self.dialer.free_room() else {
                    drop(tell);
                    break;
                };
                self.open(room, tell);
            }
            flight.begin();
            match told.await {
                Ok(Turn::Stream(stream)) => return Ok(stream),
                Ok(Turn::Failed(failure)) => return Err(failure),
                Ok(Turn::Look) | Err(_) => waited = true,
            }
        }
        flight.wait();
        self.dialer.usage.waits();
        self.in_turn(flight).await
    }

    /// A stream that somebody gives back, or one on a connection for which there is room at last.
    async fn in_turn(self: &Rc<Self>, flight: &Flight) -> Result<Stream, Failure> {
        loop {
            let (tell, mut told) = oneshot::channel();
            self.waiting.borrow_mut().push_back(tell);
            let turn = tokio::select! {
                biased;
                turn = &mut told => turn,
                room = self.dialer.room() => {
                    told.close();
                    let (tell, told) = oneshot::channel();
                    self.open(room?, tell);
                    told.await
                }
            };
            match turn {
                Ok(Turn::Stream(stream)) => {
                    flight.begin();
                    return Ok(stream);
                }
                Ok(Turn::Failed(failure)) => return Err(failure),
                Ok(Turn::Look) | Err(_) => {}
            }
        }
    }

    /// A stream on a connection with room, if there is one.
    fn free(&self) -> Option<Stream> {
        let mut open = self.open.borrow_mut();
        open.retain(|connection| !connection.is_closed());
        open.iter()
            .filter(|connection| connection.streams.get() < connection.allowed.get())
            .min_by_key(|connection| connection.streams.get())
            .map(Connection::stream)
    }

    /// Whether anybody waits for a stream who has not given up.
    fn anybody_waits(&self) -> bool {
        let mut waiting = self.waiting.borrow_mut();
        while waiting.front().is_some_and(Waiter::is_closed) {
            waiting.pop_front();
        }
        !waiting.is_empty()
    }

    /// Gives free streams to those who wait.
    fn serve(&self) {
        while self.anybody_waits() {
            let Some(stream) = self.free() else {
                return;
            };
            let first = self.waiting.borrow_mut().pop_front();
            if let Some(first) = first {
                // Who has given up meanwhile drops the stream, which serves the next one.
                let _ = first.send(Turn::Stream(stream));
            }
        }
    }

    /// Waits for a connection that is being opened, if one is expected to have a stream left.
    fn join(&self, tell: Waiter) -> Result<(), Waiter> {
        let openings = self.openings.borrow();
        let with_place = openings
            .iter()
            .find(|opening| opening.0.borrow().len() < self.expected.get());
        match with_place {
            Some(opening) => {
                opening.0.borrow_mut().push(tell);
                Ok(())
            }
            None => Err(tell),
        }
    }

    /// Begins to open a connection for one request, and for those who wait. It is nobody's own: who gives up does not
    /// end it for the others.
    fn open(self: &Rc<Self>, room: Room, tell: Waiter) {
        let mut waiters = vec![tell];
        while waiters.len() < self.expected.get() && self.anybody_waits() {
            waiters.extend(self.waiting.borrow_mut().pop_front());
        }
        let opening = Rc::new(Opening(RefCell::new(waiters)));
        self.openings.borrow_mut().push(opening.clone());
        let connections = self.clone();
        tokio::task::spawn_local(async move {
            let patience = connections.dialer.limits.patience;
            let opened = Connection::open(&connections.dialer, room, Rc::downgrade(&connections));
            let opened = tokio::time::timeout(patience, opened).await;
            connections
                .openings
                .borrow_mut()
                .retain(|other| !Rc::ptr_eq(other, &opening));
            connections.opened(opened.unwrap_or(Err(Failure::Timeout(patience))), &opening);
        });
    }

    /// A connection was opened or not: tells those who wait for it.
    fn opened(&self, opened: Result<Rc<Connection>, Failure>, opening: &Opening) {
        let failure = match opened {
            Ok(connection) => {
                self.expected.set(connection.allowed.get().max(1));
                self.open.borrow_mut().push(connection);
                None
            }
            Err(failure) => Some(failure),
        };
        for waiter in opening.0.take() {
            if waiter.is_closed() {
                continue;
            }
            let turn = match &failure {
                Some(failure) => Turn::Failed(failure.clone()),
                None => self.free().map_or(Turn::Look, Turn::Stream),
            };
            // As in `serve`.
            let _ = waiter.send(turn);
        }
        self.serve();
    }
}

impl Connection {
    /// Opens a connection, and waits until its server has said how many streams it allows: with a guess instead, those
    /// beyond the limit would be refused.
    pub(super) async fn open(
        dialer: &Dialer,
        room: Room,
        shared: Weak<Connections>,
    ) -> Result<Rc<Self>, Failure> {
        let (wire, open) = dialer.dial().await?;
        let heard = wire.heard();
        let (sender, mut driver) = Builder::new(Local)
            .initial_max_send_streams(UNSAID)
            .max_header_list_size(LARGEST_HEADERS)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|error| Failure::connection(&error))?;
        let said = poll_fn(|context| {
            heard.wake_at_more(context);
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
        let allowed = Rc::new(Cell::new(bounded(said)));
        let now_allowed = allowed.clone();
        tokio::task::spawn_local(async move {
            // Whoever sends on it learns what went wrong.
            let _ = poll_fn(|context| {
                now_allowed.set(bounded(driver.current_max_send_streams()));
                Pin::new(&mut driver).poll(context)
            })
            .await;
            drop((open, room));
        });
        Ok(Rc::new(Self {
            sender,
            streams: Cell::new(0),
            allowed,
            used: Cell::new(false),
            over: Cell::new(false),
            shared,
        }))
    }

    /// Whether it takes no more requests.
    pub(super) fn is_closed(&self) -> bool {
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

    /// A stream on it.
    pub(super) fn stream(self: &Rc<Self>) -> Stream {
        let streams = self.streams.get();
        self.streams.set(streams + 1);
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
    /// Its connection.
    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// Sends a request.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unanswered> {
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
        let streams = &self.connection.streams;
        streams.set(streams.get().saturating_sub(1));
        if let Some(shared) = self.connection.shared.upgrade() {
            shared.serve();
        }
    }
}

/// Runs what a connection needs on its own thread.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
