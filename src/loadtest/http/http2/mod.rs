//! HTTP/2: many requests at a time on a connection, as many as its server allows.
//!
//! A request takes a stream on the connection that has the fewest. Where none is free it waits for a connection that is
//! being opened, which is for as many requests as the server is expected to allow; where another may be opened, that is
//! begun; and where the limit of connections is reached it waits in line for room. A stream that somebody gives back goes
//! to whoever waits, for whatever it is, in the order in which they came.

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

use super::{
    Failure,
    dialer::{Dialer, Room},
    exchange::Flight,
};

/// What a server is expected to allow before it has said so (RFC 9113 recommends at least 100).
const EXPECTED: usize = 100;
/// After a connection that could not be opened, while another is open: to try at once again would be a load of its own.
const REST: Duration = Duration::from_millis(200);

/// The connections that the requests of one thread share.
#[derive(Debug)]
pub(super) struct Connections {
    dialer: Rc<Dialer>,
    open: RefCell<Vec<Rc<Connection>>>,
    /// Who waits for each connection that is being opened.
    openings: RefCell<Vec<Rc<Line>>>,
    /// Who waits because no other may be opened.
    waiting: Rc<Line>,
    /// What the last server allowed.
    expected: Cell<usize>,
    /// Whether one could not be opened just now, while another was open.
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

    /// A stream as soon as there is one. Connecting is part of the flight, to wait within the limit is not.
    pub(super) async fn stream(self: &Rc<Self>, flight: &Flight) -> Result<Stream, Failure> {
        self.serve();
        let (mut waited, mut in_line) = (false, false);
        loop {
            // Who has waited is not put behind those who come.
            if waited || !self.waiting.anybody() {
                if let Some(stream) = self.free() {
                    flight.begin();
                    return Ok(stream);
                }
                if let Some(told) = self.of_opening() {
                    flight.begin();
                    match told.await {
                        Ok(Turn::Stream(stream)) => return Ok(stream),
                        Ok(Turn::Failed(failure)) => return Err(failure),
                        Ok(Turn::Look) | Err(_) => waited = true,
                    }
                    continue;
                }
            }
            if !in_line {
                in_line = true;
                flight.wait();
                self.dialer.usage.waits();
            }
            match self.in_turn().await? {
                Turn::Stream(stream) => {
                    flight.begin();
                    return Ok(stream);
                }
                Turn::Failed(failure) => return Err(failure),
                Turn::Look => waited = true,
            }
        }
    }

    /// A stream on a connection that is being opened, or begins to be.
    fn of_opening(self: &Rc<Self>) -> Option<oneshot::Receiver<Turn>> {
        let (tell, told) = oneshot::channel();
        if let Err(tell) = self.join(tell) {
            let room = (!self.rests()).then(|| self.dialer.free_room()).flatten()?;
            self.open(room, tell);
        }
        Some(told)
    }

    /// A stream that somebody gives back, or one on a connection for which there is room at last.
    async fn in_turn(self: &Rc<Self>) -> Result<Turn, Failure> {
        let (tell, mut told) = oneshot::channel();
        self.waiting.join(tell);
        let turn = tokio::select! {
            biased;
            turn = &mut told => turn,
            room = self.dialer.room(), if !self.rests() => {
                told.close();
                let (tell, told) = oneshot::channel();
                self.open(room?, tell);
                told.await
            }
        };
        Ok(turn.unwrap_or(Turn::Look))
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

    /// A stream is free again. A connection that has none left gives its room to whom only room helps.
    fn given_back(&self) {
        self.serve();
        if self.dialer.is_room_wanted() {
            self.give_up_idle();
        }
    }

    /// Closes a connection that has no stream, if there is one: its room is free soon.
    pub(super) fn give_up_idle(&self) -> bool {
        let mut open = self.open.borrow_mut();
        let idle = open.iter().position(|connection| connection.streams() == 0);
        idle.map(|index| open.swap_remove(index)).is_some()
    }

    /// Gives free streams to those who wait.
    fn serve(&self) {
        while let Some(line) = self.first_line() {
            let Some(stream) = self.free() else {
                return;
            };
            if let Some(first) = line.next() {
                // Who has given up meanwhile drops the stream, which serves the next one.
                let _ = first.send(Turn::Stream(stream));
            }
        }
    }

    /// Where the next one waits: who waits for a connection that is being opened came before those for whom there was none.
    fn first_line(&self) -> Option<Rc<Line>> {
        let openings = self.openings.borrow();
        let mut lines = openings.iter().chain([&self.waiting]);
        lines.find(|line| line.anybody()).cloned()
    }

    /// Whether no other connection is opened now: the server of one that is open allows no streams for now, or another
    /// could not be opened just now. Who waits in line is told when that is over.
    fn rests(&self) -> bool {
        let refused = self.refused.get();
        let open = self.open.borrow();
        open.iter()
            .any(|connection| !connection.is_closed() && (refused || connection.allowed() == 0))
    }

    /// There may be other streams, or another connection, for those who wait in line.
    fn look_again(&self) {
        self.serve();
        while let Some(waiter) = self.waiting.next() {
            let _ = waiter.send(Turn::Look);
        }
    }

    /// Waits for a connection that is being opened, if one is expected to have a stream left.
    fn join(&self, tell: Waiter) -> Result<(), Waiter> {
        let openings = self.openings.borrow();
        let with_place = openings
            .iter()
            .find(|opening| opening.len() < self.expected.get());
        match with_place {
            Some(opening) => {
                opening.join(tell);
                Ok(())
            }
            None => Err(tell),
        }
    }

    /// Begins to open a connection for one request, and for those who wait. It is nobody's own: who gives up does not
    /// end it for the others.
    fn open(self: &Rc<Self>, room: Room, tell: Waiter) {
        let opening = Rc::new(Line::default());
        opening.join(tell);
        while opening.len() < self.expected.get()
            && let Some(next) = self.waiting.next()
        {
            opening.join(next);
        }
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

    /// A connection was opened or not: tells those who wait for it. Where it was not, and another is open, that is the
    /// failure of one request, and the others wait for streams.
    fn opened(self: &Rc<Self>, opened: Result<Rc<Connection>, Failure>, opening: &Line) {
        match opened {
            Ok(connection) => {
                self.expected.set(connection.allowed().max(1));
                self.open.borrow_mut().push(connection);
                while let Some(waiter) = opening.next() {
                    // As in `serve`.
                    let _ = waiter.send(self.free().map_or(Turn::Look, Turn::Stream));
                }
            }
            Err(failure) if self.open.borrow().iter().any(|other| !other.is_closed()) => {
                self.rest();
                if let Some(first) = opening.next() {
                    let _ = first.send(Turn::Failed(failure));
                }
                while let Some(waiter) = opening.next() {
                    let _ = waiter.send(Turn::Look);
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

    /// Opens no other connection for a while.
    fn rest(self: &Rc<Self>) {
        self.refused.set(true);
        let connections = Rc::downgrade(self);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(REST).await;
            if let Some(connections) = connections.upgrade() {
                connections.refused.set(false);
                connections.look_again();
            }
        });
    }
}
