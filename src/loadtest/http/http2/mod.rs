//! HTTP/2: many requests at a time on one connection, as many as the server allows.
//!
//! A request takes a stream on the connection that has the fewest streams in use. If no stream is free, the
//! request does the first of these that is possible:
//! 1. It joins a connection that is being opened, if that one is expected to have a stream left.
//! 2. It opens another connection, within the limit of connections.
//! 3. It waits in line for a stream or for a connection slot.
//!
//! A stream that is given back goes to the request that has waited longest, whatever it waits for.

mod connection;
mod line;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use tokio::sync::oneshot;

pub(super) use self::connection::{Connection, Stream};
use self::line::{Line, Turn, Waiter};

use super::{Failure, dialer::Dialer, outgoing::Flight, slots::Room};

/// How many streams a server is expected to allow before its SETTINGS say so (RFC 9113 recommends at least
/// 100).
const EXPECTED: usize = 100;
/// Pause after a connection could not be opened while another one is open. To try again at once would be a
/// load of its own.
const REST: Duration = Duration::from_millis(200);

/// The connections that the requests of one thread share.
#[derive(Debug)]
pub(super) struct Connections {
    dialer: Rc<Dialer>,
    open: RefCell<Vec<Rc<Connection>>>,
    /// The requests that wait for each connection that is being opened.
    openings: RefCell<Vec<Rc<Line>>>,
    /// The requests that wait because no further connection may be opened.
    waiting: Rc<Line>,
    /// Number of streams that the last server allowed.
    expected: Cell<usize>,
    /// Whether a connection could not be opened a moment ago, while another one was open.
    refused: Cell<bool>,
}

impl Connections {
    pub(super) fn new(dialer: Rc<Dialer>) -> Self {
        Self {
            dialer,
            open: RefCell::default(),
            openings: RefCell::default(),
            waiting: Rc::default(),
            expected: Cell::new(EXPECTED),
            refused: Cell::default(),
        }
    }

    /// A stream, as soon as there is one. To connect belongs to the flight; to wait for a slot does not.
    pub(super) async fn stream(self: &Rc<Self>, flight: &Flight) -> Result<Stream, Failure> {
        self.serve();
        let (mut waited, mut in_line) = (false, false);
        loop {
            // A request that has waited is not put behind new ones. New ones wait behind those in line.
            if waited || !self.waiting.anybody() {
                if let Some(stream) = self.free() {
                    flight.begin();
                    return Ok(stream);
                }
                if let Some(notified) = self.of_opening() {
                    flight.begin();
                    // An opening that is dropped without an answer (Err) is like Retry.
                    match notified.await {
                        Ok(Turn::Stream(stream)) => return Ok(stream),
                        Ok(Turn::Failed(failure)) => return Err(failure),
                        Ok(Turn::Retry) | Err(_) => waited = true,
                    }
                    continue;
                }
            }
            // Only the first round in line counts as a wait; later rounds belong to the same wait.
            if !in_line {
                in_line = true;
                flight.wait();
                self.dialer.slots.usage.waits();
            }
            match self.in_turn().await? {
                Turn::Stream(stream) => {
                    flight.begin();
                    return Ok(stream);
                }
                Turn::Failed(failure) => return Err(failure),
                Turn::Retry => waited = true,
            }
        }
    }

    /// Waits for a stream on a connection that is being opened, or opens one.
    fn of_opening(self: &Rc<Self>) -> Option<oneshot::Receiver<Turn>> {
        let (notify, notified) = oneshot::channel();
        if let Err(notify) = self.join(notify) {
            let room = (!self.rests()).then(|| self.dialer.slots.free_room()).flatten()?;
            self.open(room, notify);
        }
        Some(notified)
    }

    /// Waits in line for a stream that is given back, or for a slot to open a connection.
    async fn in_turn(self: &Rc<Self>) -> Result<Turn, Failure> {
        let (notify, mut notified) = oneshot::channel();
        self.waiting.join(notify);
        let turn = tokio::select! {
            biased;
            turn = &mut notified => turn,
            // While no connection may be opened, no slot is taken: others could not use it.
            room = self.dialer.slots.room_beside(), if !self.rests() => {
                // This request waits for the new connection now. The closed waiter is skipped by the line.
                notified.close();
                let (notify, notified) = oneshot::channel();
                self.open(room?, notify);
                notified.await
            }
        };
        Ok(turn.unwrap_or(Turn::Retry))
    }

    /// A stream on an open connection, if one is free.
    fn free(&self) -> Option<Stream> {
        let mut open = self.open.borrow_mut();
        open.retain(|connection| !connection.is_closed());
        open.iter()
            // The connection with the fewest streams spreads the load over all connections.
            .filter(|connection| connection.streams() < connection.allowed())
            .min_by_key(|connection| connection.streams())
            .map(Connection::stream)
    }

    /// A stream is free again. If a WebSocket or redirect waits for a slot, a connection without streams is
    /// closed for it.
    fn given_back(&self) {
        self.serve();
        if self.dialer.slots.is_room_wanted() {
            self.evict_idle();
        }
    }

    /// Closes a connection that has no stream in use, if there is one. Its slot is free soon.
    pub(super) fn evict_idle(&self) -> bool {
        let mut open = self.open.borrow_mut();
        let idle = open.iter().position(|connection| connection.streams() == 0);
        idle.map(|index| open.swap_remove(index)).is_some()
    }

    /// Gives free streams to requests that wait.
    fn serve(&self) {
        while let Some(line) = self.first_line() {
            let Some(stream) = self.free() else {
                return;
            };
            if let Some(first) = line.next() {
                // A waiter that has given up drops the stream, and that serves the next one.
                let _ = first.send(Turn::Stream(stream));
            }
        }
    }

    /// The line to serve next. Requests that wait for a connection being opened came before those in line.
    fn first_line(&self) -> Option<Rc<Line>> {
        let openings = self.openings.borrow();
        let mut lines = openings.iter().chain([&self.waiting]);
        lines.find(|line| line.anybody()).cloned()
    }

    /// Whether no further connection is opened at present: the server of an open one allows no streams now,
    /// or another could not be opened a moment ago. Waiting requests are notified when that is over.
    fn rests(&self) -> bool {
        let refused = self.refused.get();
        let open = self.open.borrow();
        open.iter()
            .any(|connection| !connection.is_closed() && (refused || connection.allowed() == 0))
    }

    /// Lets the requests in line try again, because there may be other streams or a slot for a connection.
    fn retry_waiting(&self) {
        self.serve();
        while let Some(waiter) = self.waiting.next() {
            let _ = waiter.send(Turn::Retry);
        }
    }

    /// Joins a connection that is being opened, if one is expected to have a stream left.
    fn join(&self, notify: Waiter) -> Result<(), Waiter> {
        let openings = self.openings.borrow();
        // `len` includes requests that have given up, so it is an upper bound.
        let with_place = openings
            .iter()
            .find(|opening| opening.len() < self.expected.get());
        match with_place {
            Some(opening) => {
                opening.join(notify);
                Ok(())
            }
            None => Err(notify),
        }
    }

    /// Opens a connection for one request and for those that wait. It runs in a task of its own, so that a
    /// request that gives up does not end it for the others.
    fn open(self: &Rc<Self>, room: Room, notify: Waiter) {
        let opening = Rc::new(Line::default());
        opening.join(notify);
        // Those in line came first, so they go to the new connection up to its expected streams.
        while opening.len() < self.expected.get()
            && let Some(next) = self.waiting.next()
        {
            opening.join(next);
        }
        self.openings.borrow_mut().push(opening.clone());
        let connections = self.clone();
        tokio::task::spawn_local(async move {
            let patience = connections.dialer.slots.limits.patience;
            let opened = Connection::open(&connections.dialer, room, Rc::downgrade(&connections));
            let opened = tokio::time::timeout(patience, opened).await;
            connections
                .openings
                .borrow_mut()
                .retain(|other| !Rc::ptr_eq(other, &opening));
            connections.opened(opened.unwrap_or(Err(Failure::Timeout(patience))), &opening);
        });
    }

    /// Notifies the requests that wait for a connection. If it could not be opened while another one is open,
    /// only one request fails, and the others wait for streams.
    fn opened(self: &Rc<Self>, opened: Result<Rc<Connection>, Failure>, opening: &Line) {
        match opened {
            Ok(connection) => {
                self.expected.set(connection.allowed().max(1));
                self.open.borrow_mut().push(connection);
                while let Some(waiter) = opening.next() {
                    // As in `serve`: a waiter that has given up drops the stream.
                    let _ = waiter.send(self.free().map_or(Turn::Retry, Turn::Stream));
                }
            }
            Err(failure) if self.open.borrow().iter().any(|other| !other.is_closed()) => {
                self.rest();
                if let Some(first) = opening.next() {
                    let _ = first.send(Turn::Failed(failure));
                }
                while let Some(waiter) = opening.next() {
                    let _ = waiter.send(Turn::Retry);
                }
            }
            Err(failure) => {
                while let Some(waiter) = opening.next() {
                    let _ = waiter.send(Turn::Failed(failure.clone()));
                }
            }
        }
        self.serve();
    }

    /// Opens no further connection for a while.
    fn rest(self: &Rc<Self>) {
        self.refused.set(true);
        let connections = Rc::downgrade(self);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(REST).await;
            if let Some(connections) = connections.upgrade() {
                connections.refused.set(false);
                connections.retry_waiting();
            }
        });
    }
}
