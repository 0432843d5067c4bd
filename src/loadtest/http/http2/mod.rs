//! HTTP/2: many requests at a time on a connection, as many as its server allows.
//!
//! A request takes a stream on the connection that has the fewest. Where none is free it waits for a connection that is
//! being opened, which is for as many requests as the server is expected to allow; where another may be opened, that is
//! begun; and where the limit of connections is reached it waits for a stream of somebody else, or for room.

mod connection;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use tokio::sync::oneshot;

pub(super) use self::connection::{Connection, Stream};

use super::{
    Failure,
    dialer::{Dialer, Room},
    exchange::Flight,
};

/// What a server is expected to allow before it has said so (RFC 9113 recommends at least 100).
const EXPECTED: usize = 100;

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
            .filter(|connection| connection.streams() < connection.allowed())
            .min_by_key(|connection| connection.streams())
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
                self.expected.set(connection.allowed().max(1));
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
