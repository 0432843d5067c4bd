//! The connections of one thread, up to a limit beyond which requests wait their turn, and are counted.
//!
//! Requests share them, or a user has one of its own: see [`Own`].

use std::rc::{Rc, Weak};

use hyper::{Response, body::Incoming};

use super::{
    BoxedStream, Failure, Outgoing, Protocol, Target,
    dialer::{Dialer, Limits, Open, Room, Usage},
    exchange::Flight,
    http1, http2,
    unanswered::{Circumstances, Unanswered},
};

/// The connections of one thread.
#[derive(Debug)]
pub struct Pool {
    dialer: Rc<Dialer>,
    http1: http1::Connections,
    http2: Rc<http2::Connections>,
}

/// The connection of one user, which nobody else sends on. It is opened with the user's first request and stays open
/// while the user thinks.
#[derive(Debug, Default)]
pub struct Own(Option<Kept>);

#[derive(Debug)]
enum Kept {
    Http1(http1::Connection, Room),
    /// Its room is that of the connection.
    Http2(Rc<http2::Connection>),
}

/// A connection, or a stream on one, to send from.
#[derive(Debug)]
pub(super) struct Place {
    busy: Busy,
    /// Whether the connection had served others.
    used: bool,
    /// Whether it had also nothing to do.
    idle: bool,
    /// Whether the connection is one user's own.
    own: bool,
}

#[derive(Debug)]
enum Busy {
    Http1(http1::Connection, Room),
    Http2(http2::Stream),
}

/// Room for one connection within the limit, such as that of a WebSocket.
#[derive(Debug)]
pub struct Reserved<'a> {
    dialer: &'a Dialer,
    open: Option<Open>,
    _room: Room,
}

impl Reserved<'_> {
    /// Connects to a target, that of the pool or another one. The connection counts as open until
    /// this is dropped.
    ///
    /// # Errors
    /// When there is no connection, or no TLS on it.
    pub async fn connect(&mut self, target: &Target) -> Result<BoxedStream, Failure> {
        let stream = self.dialer.connect(target).await?;
        self.open = Some(self.dialer.usage.opened());
        Ok(stream)
    }
}

impl Pool {
    /// An empty pool.
    pub fn new(target: Rc<Target>, limits: Limits) -> Self {
        let dialer = Rc::new(Dialer::new(target, limits));
        Self {
            http1: http1::Connections::default(),
            http2: Rc::new(http2::Connections::new(dialer.clone())),
            dialer,
        }
    }

    /// What it has used.
    pub fn usage(&self) -> &Usage {
        &self.dialer.usage
    }

    /// Where its connections lead.
    pub fn target(&self) -> &Target {
        &self.dialer.target
    }

    /// Room for a connection within the limit, as soon as there is some.
    async fn room(&self) -> Result<Room, Failure> {
        if let Some(room) = self.dialer.free_room() {
            return Ok(room);
        }
        self.dialer.usage.waits();
        self.dialer.room().await
    }

    /// Room for a connection that the pool does not keep itself, as soon as there is some; it takes the place of an idle
    /// one where there are as many as there may be. A user gives up its own connection where nothing else is free: all
    /// would wait for each other.
    ///
    /// # Errors
    /// When the test is over.
    pub async fn reserve(&self, own: Option<&mut Own>) -> Result<Reserved<'_>, Failure> {
        let room = match self.dialer.free_room() {
            Some(room) => room,
            None => self.room_of_another(own).await?,
        };
        self.make_room();
        Ok(Reserved {
            dialer: &self.dialer,
            open: None,
            _room: room,
        })
    }

    /// The room of a connection that has nothing to do, now or later.
    async fn room_of_another(&self, own: Option<&mut Own>) -> Result<Room, Failure> {
        let given_up = own.is_some_and(Own::give_up) || self.http2.give_up_idle();
        // Until it is closed is no wait because of the limit.
        if !given_up {
            self.dialer.usage.waits();
        }
        self.dialer.wanted_room().await
    }

    /// A place to send one request from: the user's own connection, one that nobody uses, or a new one.
    pub(super) async fn place(&self, own: Option<&mut Own>, flight: &Flight) -> Result<Place, Failure> {
        let fresh = self.target().fresh_connections;
        let shared = own.is_none() && !fresh;
        if let Some(place) = own.filter(|_| !fresh).and_then(Own::take) {
            flight.begin();
            return Ok(place);
        }
        if shared && self.target().protocol == Protocol::Http2 {
            let stream = self.http2.stream(flight).await.inspect_err(|_| flight.wait())?;
            return Ok(Place::of(stream, false));
        }
        let room = self.room().await?;
        flight.begin();
        if shared && let Some(connection) = self.http1.take() {
            return Ok(Place::on(connection, room, true, false));
        }
        let opened = match self.target().protocol {
            Protocol::Http1 => self.open_http1(room, !shared).await,
            Protocol::Http2 => self.open_http2(room).await,
        };
        opened.inspect_err(|_| flight.wait())
    }

    async fn open_http1(&self, room: Room, own: bool) -> Result<Place, Failure> {
        self.make_room();
        let connection = http1::Connection::open(&self.dialer).await?;
        Ok(Place::on(connection, room, false, own))
    }

    /// A connection that others do not share.
    async fn open_http2(&self, room: Room) -> Result<Place, Failure> {
        let connection = http2::Connection::open(&self.dialer, room, Weak::new()).await?;
        Ok(Place::of(connection.stream(), true))
    }

    /// Idle connections have no room of their own: one is closed where a new one would be beyond the limit.
    fn make_room(&self) {
        let open = usize::try_from(self.usage().open()).unwrap_or(usize::MAX);
        if open >= self.dialer.limits.connections {
            drop(self.http1.take());
        }
    }

    /// Sends a request, once more if its connection ended as connections end; see [`Unanswered`].
    pub(super) async fn send(
        &self,
        mut place: Place,
        outgoing: &Outgoing,
        flight: &Flight,
    ) -> Result<(Place, Response<Incoming>), Failure> {
        loop {
            let unanswered = match place.busy.send(outgoing).await {
                Ok(response) => return Ok((place, response)),
                Err(unanswered) => unanswered,
            };
            let circumstances = Circumstances {
                method: &outgoing.method,
                used: place.used,
                idle: place.idle,
                elapsed: flight.elapsed(),
                round_trip: self.dialer.round_trip(),
            };
            let twice = unanswered.was_sent() && flight.was_sent_again();
            if twice || !unanswered.once_more(circumstances) {
                return Err(unanswered.failure);
            }
            if unanswered.was_sent() {
                flight.send_again();
            }
            place = self.renewed(place, flight).await?;
        }
    }

    /// Another place for a request whose connection has ended, or that was refused.
    async fn renewed(&self, place: Place, flight: &Flight) -> Result<Place, Failure> {
        match place.busy {
            Busy::Http1(_, room) => self.open_http1(room, place.own).await,
            Busy::Http2(stream) if place.own => {
                let connection = stream.connection().clone();
                drop(stream);
                if connection.is_closed() {
                    drop(connection);
                    self.open_http2(self.room().await?).await
                } else {
                    Ok(Place::of(connection.stream(), true))
                }
            }
            Busy::Http2(stream) => {
                drop(stream);
                Ok(Place::of(self.http2.stream(flight).await?, false))
            }
        }
    }

    /// Gives a place back whose answer was read to its end.
    pub(super) async fn give_back(&self, place: Place, own: Option<&mut Own>) {
        if self.target().fresh_connections {
            return;
        }
        match (place.busy, own) {
            (Busy::Http1(connection, room), own) => {
                let Some(connection) = connection.again().await else {
                    return;
                };
                match own {
                    Some(Own(kept)) => *kept = Some(Kept::Http1(connection, room)),
                    None => self.http1.give_back(connection),
                }
            }
            (Busy::Http2(stream), Some(Own(kept))) => {
                *kept = Some(Kept::Http2(stream.connection().clone()));
            }
            (Busy::Http2(_), None) => {}
        }
    }
}

impl Own {
    /// Closes the connection, if there is one.
    fn give_up(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// The connection, if it still works. One of HTTP/2 stays with the user, also when the request is given up.
    fn take(&mut self) -> Option<Place> {
        match self.0.take()? {
            Kept::Http1(connection, room) if connection.is_ready() => {
                Some(Place::on(connection, room, true, true))
            }
            Kept::Http2(connection) if !connection.is_closed() => {
                let stream = connection.stream();
                self.0 = Some(Kept::Http2(connection));
                Some(Place::of(stream, true))
            }
            Kept::Http1(..) | Kept::Http2(_) => None,
        }
    }
}

impl Place {
    /// On a connection of HTTP/1.1.
    fn on(connection: http1::Connection, room: Room, used: bool, own: bool) -> Self {
        Self {
            busy: Busy::Http1(connection, room),
            used,
            idle: used,
            own,
        }
    }

    /// Of a stream.
    fn of(stream: http2::Stream, own: bool) -> Self {
        Self {
            used: stream.used,
            idle: stream.idle,
            busy: Busy::Http2(stream),
            own,
        }
    }
}

impl Busy {
    async fn send(&mut self, outgoing: &Outgoing) -> Result<Response<Incoming>, Unanswered> {
        match self {
            Self::Http1(connection, _) => connection.send(outgoing.request()).await,
            Self::Http2(stream) => stream.send(outgoing.request()).await,
        }
    }
}
